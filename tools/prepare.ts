import type { Environment } from './go-version.js';
import { pinnedVersion } from './programs.js';
import type { Program } from './programs.js';
import { buildTool, cacheFolder, findTool } from './toolchain.js';
import type { Tool } from './toolchain.js';

type Print = (line: string) => void;

const newsEveryMs = 15_000;

/**
 * Finds or builds the programs, one after the other: `go build` uses all cores by itself. Prints one line when
 * everything is there, else what is being built, how many of how many, and that it is still alive.
 */
export async function prepareTools(wanted: readonly Program[], print: Print, environment: Environment = process.env): Promise<Tool[]> {
  const found = await Promise.all(wanted.map(async (program) => ({ program, tool: await findTool(program, environment) })));
  const tools = found.flatMap(({ tool }) => tool ?? []);
  const missing = found.flatMap(({ program, tool }) => (tool === undefined ? [program] : []));

  for (const tool of tools.filter((each) => each.from !== 'cache')) print(`${tool.program.name}: using ${tool.path} (${tool.version}; tested with ${pinnedVersion(tool.program)})`);
  if (missing.length === 0) print(`servers: ${wanted.length} of ${wanted.length} programs are there (${cacheFolder(environment)})`);
  else print(`servers: ${missing.length} of ${wanted.length} programs have to be built, once, into ${cacheFolder(environment)}`);

  for (const [index, program] of missing.entries()) {
    const title = `[${index + 1}/${missing.length}] ${program.name} ${pinnedVersion(program)}`;
    tools.push(await buildAloud(program, title, print, environment));
  }
  return tools;
}

async function buildAloud(program: Program, title: string, print: Print, environment: Environment): Promise<Tool> {
  const began = performance.now();
  const seconds = (): number => Math.round((performance.now() - began) / 1000);
  print(`${title}: building (first time only, ${program.usually}) ...`);

  const news = setInterval(() => print(`${title}: still building after ${seconds()} s ...`), newsEveryMs);
  try {
    const tool = await buildTool(program, environment);
    print(`${title}: ready after ${seconds()} s`);
    return tool;
  } finally {
    clearInterval(news);
  }
}
