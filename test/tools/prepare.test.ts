import { describe, expect, test } from '@jest/globals';
import { prepareTools } from '../../tools/prepare.js';
import { programNamed } from '../../tools/programs.js';
import { aMachine } from './fake-programs.js';

const wanted = [programNamed('crane'), programNamed('etcd')];

async function linesOf(machine: ReturnType<typeof aMachine>): Promise<string[]> {
  const lines: string[] = [];
  await prepareTools(wanted, (line) => lines.push(line), machine.environment);
  return lines;
}

describe('preparing the programs', () => {
  test('says what is built, how many of how many, and when it is ready', async () => {
    const machine = aMachine();
    machine.go();

    expect(await linesOf(machine)).toEqual([
      expect.stringMatching(/^servers: 2 of 2 programs have to be built, once, into /),
      expect.stringMatching(/^\[1\/2\] crane \d.*: building \(first time only, .*\) \.\.\.$/),
      expect.stringMatching(/^\[1\/2\] crane \d.*: ready after \d+ s$/),
      expect.stringMatching(/^\[2\/2\] etcd \d.*: building/),
      expect.stringMatching(/^\[2\/2\] etcd \d.*: ready/),
    ]);
  });

  test('needs one line when everything was built before, and builds nothing', async () => {
    const machine = aMachine();
    machine.go();
    await linesOf(machine);

    expect(await linesOf(machine)).toEqual([expect.stringMatching(/^servers: 2 of 2 programs are there/)]);
    expect(machine.builds()).toBe(2);
  });

  test('names a program of the machine that is used instead, and its version', async () => {
    const machine = aMachine();
    machine.go();
    const path = machine.program('path/crane', 'echo v1.0.0');

    expect((await linesOf(machine))[0]).toMatch(`crane: using ${path} (v1.0.0; tested with`);
  });
});
