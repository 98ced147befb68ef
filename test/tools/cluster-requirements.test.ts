import { describe, expect, test } from '@jest/globals';
import { missingForCluster, type Machine } from '../../tools/cluster/requirements.js';

/** Root of a machine of one's own, with everything. */
function aMachine(differences: Partial<Machine> = {}): Machine {
  return { platform: 'linux', isRoot: true, capabilities: '000001fffeffffff', has: () => true, hasPlugin: () => true, tries: () => undefined, ...differences };
}

describe('what a machine lacks for a cluster in which Pods run', () => {
  test('nothing, where all is there, also without CAP_SYS_RESOURCE', () => {
    expect(missingForCluster(aMachine())).toEqual([]);
  });

  test.each<readonly [sentence: string, machine: Partial<Machine>, missing: string]>([
    ['another system', { platform: 'darwin' }, 'Linux: this is darwin'],
    ['somebody who is not root', { isRoot: false }, 'root: run this as root'],
    ['root of an ordinary container', { capabilities: '00000000a80425fb' }, 'CAP_NET_ADMIN, CAP_SYS_PTRACE, CAP_SYS_ADMIN: root has been deprived of them here; run this on a machine of your own or in a privileged container'],
    ['no containerd and no runc', { has: (program) => !/^(containerd|ctr|runc)/.test(program) }, 'containerd, ctr, containerd-shim-runc-v2, runc: apt-get install containerd runc'],
    ['no plug-ins for the network of Pods', { hasPlugin: () => false }, 'ptp, host-local, portmap, loopback in /usr/lib/cni: apt-get install containernetworking-plugins'],
    ['a kernel without overlayfs', { tries: (script) => (script.includes('overlay') ? "mount: unknown filesystem type 'overlay'" : undefined) }, "overlayfs of the kernel: mount: unknown filesystem type 'overlay'"],
  ])('%s', (_sentence, machine, missing) => {
    expect(missingForCluster(aMachine(machine))).toEqual([missing]);
  });

  test('what the kernel can do is not tried before the programs are there', () => {
    const tried: string[] = [];

    missingForCluster(aMachine({ has: () => false, tries: (script) => void tried.push(script) }));

    expect(tried).toEqual([]);
  });
});
