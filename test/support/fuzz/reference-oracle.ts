/**
 * Another parser of image references, from the published grammar: one expression for a whole reference, and the
 * normalisation that container runtimes apply before it. It shares no code with ours, and takes the same steps nowhere.
 *
 * @see https://github.com/distribution/reference, regexp.go and normalize.go
 */
const label = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])';
const domain = `(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
// the hashes that kuik can check; the grammar would allow any name
const digest = '(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})';
const whole = new RegExp(`^(?:${domain}/)?${component}(?:/${component})*(?::\\w[\\w.-]{0,127})?(?:@${digest})?$`);

/** @returns the reference with host and repository written out, no tag added; undefined when it is none */
export function readByTheBook(text: string): string | undefined {
  if (/^[a-f0-9]{64}$/.test(text)) return undefined; // an image ID
  const { host, rest } = split(text);
  const path = rest.split('@', 1)[0]?.split(':', 1)[0] ?? '';
  const written = `${host}/${rest}`;
  return path.length <= 255 && whole.test(written) ? written : undefined;
}

function split(text: string): { readonly host: string; readonly rest: string } {
  const [first = '', ...more] = text.split('/');
  if (more.length === 0 || !(first === 'localhost' || first.includes('.') || first.includes(':') || first !== first.toLowerCase())) return onHub(text);
  return first === 'index.docker.io' || first === 'docker.io' ? onHub(more.join('/')) : { host: first, rest: more.join('/') };
}

function onHub(rest: string): { readonly host: string; readonly rest: string } {
  return { host: 'docker.io', rest: rest.includes('/') ? rest : `library/${rest}` };
}
