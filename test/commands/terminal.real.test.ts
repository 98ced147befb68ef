/** What people see on a terminal while something is copied: on a real pseudo-terminal, of several sizes, while it changes. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Stage } from '../../tools/demo/stage.js';
import { scratchFolder } from '../../tools/servers.js';
import { pretendPod, startKubelet, type Kubelet } from '../support/kubelet.js';
import { startRelay, type Relay } from '../support/relay.js';
import { applyQuickstart, createPod, push, recordOf, until } from '../support/stage.js';
import { hasTerminals, kuikOnTerminal, type OnTerminal, type Size } from '../support/terminal.js';

const wide: Size = { columns: 160, rows: 50 };
const usual: Size = { columns: 80, rows: 24 };
const narrow: Size = { columns: 40, rows: 12 };
const ctrlC = '\x03';
const mib = 2 ** 20;
const whereThereAre = hasTerminals ? describe : describe.skip;

whereThereAre(`on a terminal${hasTerminals ? '' : ' (not run: needs python3, which has pseudo-terminals)'}`, () => {
  let stage: Stage;
  let kubelet: Kubelet;
  /** before the source: what is pulled through it comes slowly */
  let line: Relay;
  const open: OnTerminal[] = [];
  const home = scratchFolder('terminal-home');

  beforeAll(async () => {
    stage = await Stage.open({ dir: scratchFolder('terminal') });
    kubelet = await startKubelet(stage, { 'kuik-system/temporal-0:7233': stage.temporal.running.port });
    await pretendPod(stage, { namespace: 'kuik-system', name: 'temporal-0', component: 'temporal', ports: { grpc: 7233 } });
    await applyQuickstart(stage);
    line = await startRelay(stage.sourceAddress);
    line.limit(2 * mib);
    for (const name of ['heavy:1.0', 'retried:1.0', 'watched:1.0']) await push(stage, name, [{ seed: name, size: 6 * mib }, { seed: `${name} {platform}`, size: 2 * mib }]);
  }, 120_000);
  afterAll(async () => {
    for (const each of open) each.kill();
    await line?.close();
    await stage?.close();
    await kubelet?.close();
  });

  function kuik(size: Size, args: readonly string[], env: Readonly<Record<string, string>> = {}): OnTerminal {
    const shown = kuikOnTerminal(size, args, { HOME: home, DOCKER_CONFIG: home, KUBECONFIG: stage.api.kubeconfig, ...env });
    open.push(shown);
    return shown;
  }
  const slowly = (name: string): string => `${line.address}/library/${name}`;
  const copy = (size: Size, to: string, env?: Readonly<Record<string, string>>): OnTerminal => kuik(size, ['copy', slowly('heavy:1.0'), `${stage.mirror.address}/${to}/heavy:1.0`], env);
  /** Lines of how far everything is: one of them, or the one before was not erased. */
  const sums = ({ screen }: OnTerminal): readonly string[] => screen.lines.filter((each) => /MiB(?:, |$)/.test(each) && !each.includes('%'));
  const shows = async (shown: OnTerminal, what: RegExp): Promise<void> => {
    await until(`${what}`, async () => what.test(shown.screen.text), 40_000).catch(() => expect(shown.screen.text).toMatch(what));
  };

  test.each([['wide', wide], ['of 80 columns', usual], ['of 40 columns', narrow]])('kuik copy draws bars on one that is %s, and leaves nothing of them', async (name, size) => {
    const shown = copy(size, `sizes/${name.replaceAll(' ', '-')}`);

    await shows(shown, /^linux\/amd64 +\[=+ *\] +\d+ %/m);
    expect(shown.screen.lines.filter((each) => each.includes('linux/arm64'))).toHaveLength(1);
    expect(sums(shown)).toHaveLength(1);
    expect(Math.max(...shown.screen.lines.map(({ length }) => length))).toBeLessThan(size.columns);

    expect(await shown.ended).toEqual({ code: 0, isAsBefore: true });
    expect(shown.screen.text).not.toMatch(/\[=| %/);
    expect(shown.screen.lines[0]).toMatch(/^DESTINATION/);
    expect(shown.screen.text.replaceAll('\n', '')).toMatch(/:1\.0 +copied +sha256:/);
  });

  test('kuik copy goes on straight while the terminal becomes narrower, lower and wider', async () => {
    const shown = copy(wide, 'resized');

    await shows(shown, / %/);
    for (const size of [narrow, { columns: 60, rows: 6 }, wide]) {
      shown.resize(size);
      const before = shown.written().length;
      await until('it to be drawn again', async () => shown.written().slice(before).split('\x1b[').length > 4);
      expect(sums(shown)).toHaveLength(1);
      expect(shown.screen.lines.length).toBeLessThan(size.rows);
    }

    expect(await shown.ended).toEqual({ code: 0, isAsBefore: true });
    expect(shown.screen.text).not.toMatch(/\[=| %/);
  });

  test('kuik copy that is interrupted takes its bars away, and the mark of Ctrl-C with them: exit 130', async () => {
    const shown = copy(usual, 'interrupted');
    await shows(shown, / %/);

    shown.type(ctrlC);

    expect(await shown.ended).toEqual({ code: 130, isAsBefore: true });
    expect(shown.screen.text).not.toMatch(/\[=| %|\^C/);
    expect(shown.screen.text).toContain('kuik copy: interrupted; 0 of 1 images are complete');
  });

  test('with NO_COLOR nothing is drawn', async () => {
    const shown = copy(usual, 'plain', { NO_COLOR: '1' });

    expect(await shown.ended).toMatchObject({ code: 0 });
    expect(shown.written()).not.toContain('\x1b');
  });

  test('kuik retry --watch lists what is waited for, and leaves the result', async () => {
    await createPod(stage, 'retried', slowly('retried:1.0'));
    await until('its record', async () => (await recordOf(stage, slowly('retried:1.0'))) !== undefined);
    const shown = kuik(narrow, ['retry', slowly('retried:1.0'), '--watch']);

    await shows(shown, /^waiting +127\.0\.0\.1:\d+\/kept\//m);
    shown.resize(usual);
    await shows(shown, /\/kept\/library\/retried:1\.0$/m); // there is room for all of it now
    expect(shown.screen.lines).toHaveLength(2);

    expect(await shown.ended).toEqual({ code: 0, isAsBefore: true });
    expect(shown.screen.text).not.toMatch(/^waiting/m);
    expect(shown.screen.text).toMatch(/^IMAGE +DESTINATION/);
  });

  test('kuik retry --watch that is interrupted says no more than how it stands: exit 130', async () => {
    line.limit(64 * 1024);
    const shown = kuik(usual, ['retry', slowly('retried:1.0'), '--watch']);
    await createPod(stage, 'watched', slowly('watched:1.0'));
    const other = kuik(usual, ['retry', slowly('watched:1.0'), '--watch']);
    await shows(other, /^(?:waiting|asked)/m);

    other.type(ctrlC);

    expect(await other.ended).toEqual({ code: 130, isAsBefore: true });
    expect(other.screen.text).not.toContain('^C');
    expect((await shown.ended).code).toBe(0);
  });

  test('kuik status -w draws how far a copy is, and Ctrl-C leaves the last picture: exit 130', async () => {
    const shown = kuik(wide, ['status', '-w']);

    await shows(shown, /\[#*\.+\] \d+\.\d\/\d+\.\d MiB/);
    shown.resize(narrow);
    await until('the narrow picture', async () => shown.screen.visible[0]?.startsWith('kuik ') === true && Math.max(...shown.screen.visible.map(({ length }) => length)) < narrow.columns, 20_000);
    expect(shown.screen.visible.length).toBeLessThan(narrow.rows);
    expect(shown.screen.visible).toContainEqual(expect.stringMatching(/^copying +\d+s +\[#*\.+\]/)); // what changes stands in front
    shown.type(ctrlC);

    expect(await shown.ended).toEqual({ code: 130, isAsBefore: true });
    expect(shown.screen.visible.filter((each) => each.startsWith('kuik '))).toHaveLength(1);
    expect(shown.screen.text).not.toContain('^C');
    line.limit(undefined);
  });
});
