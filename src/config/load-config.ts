/**
 * From the text of a configuration file to a `Config`. All problems are reported at once, each naming its key:
 * somebody who starts kuik repairs a file once, not once per mistake.
 */
import { parseDocument } from 'yaml';
import { settle, type Config } from './config.js';
import { FileReader, type AbsentFile, type ReadFile } from './files.js';
import { isObject, issueText, withoutUnknownKeys } from './issues.js';
import { builtInRegistries } from './monitoring.js';
import { readRegistries, registries } from './registries.js';
import { ConfigFile } from './schema.js';
import { readTemporal, temporal } from './temporal.js';

export type { AbsentFile };

export interface ConfigContext {
  /** reads the files that the configuration names */
  readonly readFile: ReadFile;
  /** for whoever has the configuration of another machine: files that are missing are told, and their keys are not set */
  readonly filesMayBeAbsent?: boolean;
  /** where Secrets are read that are named without a namespace */
  readonly installNamespace: string;
}

export type LoadedConfig =
  | { readonly config: Config; readonly warnings: readonly string[]; readonly absent: readonly AbsentFile[]; readonly problems?: undefined }
  /** the start stops; every problem names its key */
  | { readonly problems: readonly string[]; readonly config?: undefined; readonly warnings?: undefined; readonly absent?: undefined };

/**
 * @param text YAML; undefined when there is no file: then everything has its default
 * @throws never
 */
export function loadConfig(text: string | undefined, context: ConfigContext): LoadedConfig {
  const yaml = readYaml(text ?? '');
  if ('errors' in yaml) return { problems: yaml.errors.map((error) => `the configuration is not YAML: ${error}`) };

  const raw = merged({ monitoring: { registries: { items: builtInRegistries } } }, yaml.value);
  const { known, keys } = withoutUnknownKeys(ConfigFile, raw);
  const parsed = ConfigFile.safeParse(known);
  const files = new FileReader(context.readFile);
  readNamedFiles(known, files);
  const problems = context.filesMayBeAbsent === true ? [] : files.problems;
  if (!parsed.success) return { problems: [...parsed.error.issues.map((issue) => issueText(issue, known)), ...problems] };
  if (problems.length > 0) return { problems };
  return {
    config: settle(parsed.data, new FileReader(context.readFile), context.installNamespace),
    absent: files.absent,
    warnings: keys.map((key) => `unknown key ${key} in the configuration is ignored`),
  };
}

function readYaml(text: string): { readonly value: unknown } | { readonly errors: readonly string[] } {
  const document = parseDocument(text);
  if (document.errors.length > 0) return { errors: document.errors.map(({ message }) => message.trim()) };
  try {
    return { value: document.toJS() };
  } catch (error) {
    // an alias without anchor, such as the unquoted pattern *.example.com, is only found here
    return { errors: [error instanceof Error ? error.message : String(error)] };
  }
}

/** Finds missing files also where another part of the configuration is wrong. */
function readNamedFiles(known: unknown, files: FileReader): void {
  const sections = isMap(known) ? known : {};
  const parsedRegistries = registries.safeParse(sections['registries']);
  const parsedTemporal = temporal.safeParse(sections['temporal']);
  if (parsedRegistries.success) readRegistries(parsedRegistries.data, files);
  if (parsedTemporal.success) readTemporal(parsedTemporal.data, files);
}

/** Keys merge, lists and values replace; a key without a value counts as absent. */
function merged(under: unknown, over: unknown): unknown {
  if (over === undefined || over === null) return under;
  if (!isMap(over)) return over;
  const base = isMap(under) ? under : {};
  const keys = new Set([...Object.keys(base), ...Object.keys(over)]);
  // what is inherited, such as toString, is no key
  const own = (map: Record<string, unknown>, key: string): unknown => (Object.hasOwn(map, key) ? map[key] : undefined);
  return Object.fromEntries([...keys].map((key) => [key, merged(own(base, key), own(over, key))]).filter(([, value]) => value !== undefined));
}

function isMap(value: unknown): value is Record<string, unknown> {
  return isObject(value) && !Array.isArray(value);
}
