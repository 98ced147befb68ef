/** What an address is good for, read from the address itself. */
import { BlockList, isIP } from 'node:net';

/**
 * `forbidden` is nobody's registry: link-local, metadata services, unspecified, multicast, reserved, and the API
 * server where it is known.
 */
export type AddressKind = 'public' | 'private' | 'loopback' | 'forbidden';

const ranges: Readonly<Record<Exclude<AddressKind, 'public'>, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  forbidden: [
    '0.0.0.0/8', '169.254.0.0/16', '192.0.0.0/24', '224.0.0.0/4', '240.0.0.0/4',
    // metadata services outside of link-local: Alibaba, Azure, EC2 and Google over IPv6
    '100.100.100.200/32', '168.63.129.16/32', 'fd00:ec2::254/128', 'fd20:ce::254/128',
    // ::/96 is unspecified and the IPv4-compatible form that nothing uses any more
    '::/96', 'fe80::/10', 'fec0::/10', 'ff00::/8',
  ],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', '198.18.0.0/15', 'fc00::/7'],
};

/** A list of networks. `BlockList` matches IPv4-mapped IPv6 by itself. */
export class AddressList {
  readonly #list = new BlockList();

  /**
   * @param cidrs `10.0.0.0/8`, `fc00::/7`, or single addresses
   * @throws RangeError naming what is neither
   */
  constructor(cidrs: readonly string[]) {
    for (const cidr of cidrs) this.#add(cidr);
  }

  has(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.#list.check(withoutZone(address), family === 6 ? 'ipv6' : 'ipv4');
  }

  #add(cidr: string): void {
    const [network = '', bits] = cidr.split('/', 2);
    const family = isIP(network);
    const length = bits === undefined ? 8 * (family === 6 ? 16 : 4) : Number(bits);
    if (family === 0 || !/^\d{1,3}$/.test(bits ?? '0') || length > (family === 6 ? 128 : 32)) throw new RangeError(`${cidr} is no network; write one such as 10.0.0.0/8`);
    this.#list.addSubnet(network, length, family === 6 ? 'ipv6' : 'ipv4');
    if (family === 4) for (const [form, more] of translated(network)) this.#list.addSubnet(form, length + more, 'ipv6');
  }
}

const lists = Object.entries(ranges).map(([kind, cidrs]) => [kind as AddressKind, new AddressList(cidrs)] as const);

/** @param address as it is connected to; what is no address at all is `forbidden` */
export function kindOf(address: string): AddressKind {
  if (isIP(address) === 0) return 'forbidden';
  return lists.find(([, list]) => list.has(address))?.[0] ?? 'public';
}

/**
 * The IPv6 addresses under which a translator or tunnel reaches an IPv4 one: NAT64 (RFC 6052), its local prefix
 * (RFC 8215), SIIT (RFC 2765), 6to4 (RFC 3056). With them, and how many bits stand before the IPv4 ones.
 */
function translated(ipv4: string): readonly [string, number][] {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split('.').map(Number);
  const hex = (high: number, low: number): string => (high * 256 + low).toString(16);
  return [
    [`64:ff9b::${ipv4}`, 96],
    [`64:ff9b:1::${ipv4}`, 96],
    [`::ffff:0:${ipv4}`, 96],
    [`2002:${hex(a, b)}:${hex(c, d)}::`, 16],
  ];
}

/** `fe80::1%eth0` -> `fe80::1` */
function withoutZone(address: string): string {
  return address.split('%', 1)[0]!;
}
