/** Data on standard output, in the form somebody asked for. */
import process from 'node:process';

export type DataForm = 'json' | 'yaml';

export function isData(form: string): form is DataForm {
  return form === 'json' || form === 'yaml';
}

export async function printDocument(document: object, form: DataForm): Promise<void> {
  process.stdout.write(await documentText(document, form));
}

/** One of several documents in YAML starts with a line that says so. */
export async function documentText(document: object, form: DataForm, isOneOfSeveral = false): Promise<string> {
  if (form === 'json') return `${JSON.stringify(document, undefined, 2)}\n`;
  const { stringify } = await import('yaml'); // most people read tables
  return `${isOneOfSeveral ? '---\n' : ''}${stringify(document, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}
