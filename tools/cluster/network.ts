/**
 * Where things are in a cluster. Its node hangs on a virtual cable to the host, and there is no other way out:
 *
 *     host 10.N.0.1  <--->  10.N.0.2 node  <--->  Pods 10.N.1.0/24, Services 10.N.16.0/20
 *
 * The host reaches Pods and Services at their own addresses, and they reach servers of the host at 10.N.0.1.
 */
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

export interface Network {
  /** of cable, node and cgroups; at most 15 characters, as an interface's must be */
  readonly name: string;
  readonly whole: string;
  readonly host: string;
  readonly node: string;
  readonly pods: string;
  readonly services: string;
  /** the Service `kubernetes` */
  readonly kubernetes: string;
  readonly dns: string;
}

const [first, last] = [57, 120];

export function networkOf(number: number): Network {
  const at = (rest: string): string => `10.${number}.${rest}`;
  return { name: `kuik${number}`, whole: at('0.0/16'), host: at('0.1'), node: at('0.2'), pods: at('1.0/24'), services: at('16.0/20'), kubernetes: at('16.1'), dns: at('16.10') };
}

/** One that nobody on this machine uses. Two clusters that choose at the same moment: the cable of one cannot be made. */
export function freeNetwork(): Network {
  const used = Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address));
  for (let number = first; number <= last; number++) {
    if (existsSync(`/sys/class/net/kuik${number}`) || used.some((address) => address.startsWith(`10.${number}.`))) continue;
    return networkOf(number);
  }
  throw new Error(`every network between 10.${first}.0.0/16 and 10.${last}.0.0/16 is in use: end another cluster first`);
}
