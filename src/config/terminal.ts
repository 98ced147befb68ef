/** What the user typed: as a plugin of kubectl we are `kubectl kuik`. */
export function programName(environment: Readonly<Record<string, string | undefined>> = process.env): 'kuik' | 'kubectl kuik' {
  return environment['KUIK_CALLED_AS'] === 'kubectl-kuik' ? 'kubectl kuik' : 'kuik';
}

/** Help as it is for the name we go by: lines of usage and of examples begin with it. */
export function helpText(text: string, program = programName()): string {
  return text.replace(/^((?:Usage:)?[ \t]+)kuik(?= )/gm, `$1${program}`);
}

/** Whether the user asked for plain output everywhere. @see https://no-color.org */
export function wantsNoColor(environment: Readonly<Record<string, string | undefined>> = process.env): boolean {
  return !!environment['NO_COLOR'];
}
