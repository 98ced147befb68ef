/** Pages whose commands are run: blocks marked `sh`, each with what it prints in the block after it. */
export interface Block {
  readonly commands: string;
  /** lines as the page has them; undefined where it does not say */
  readonly output?: string;
}

/** Commands of a page in Markdown, in their order. */
export function blocksIn(page: string): readonly Block[] {
  const found = fencesIn(page);
  return found.flatMap(({ language, text }, index) => {
    if (language !== 'sh') return [];
    const next = found[index + 1];
    return [{ commands: text, ...(next?.language === '' && { output: next.text }) }];
  });
}

/** Every block between fences, without the indent it has in a list. */
export function fencesIn(page: string): readonly { readonly language: string; readonly text: string }[] {
  return [...page.matchAll(/^( *)```(\w*)\n([\s\S]*?)\n\1```$/gm)].map(([, indent = '', language = '', text = '']) => ({ language, text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), '') }));
}

/** Whether the lines of the page are printed, in their order; `...` stands for anything, and lines may be left out between them. */
export function prints({ output = '' }: Block, printed: string): boolean {
  const lines = printed.split('\n').map(squeezed);
  let from = 0;
  return output.split('\n').filter((line) => line !== '' && line !== '...').every((line) => {
    const pattern = new RegExp(`^${squeezed(line).split('...').map((part) => escaped(part.trim())).join('.*')}$`);
    const at = lines.findIndex((each, index) => index >= from && pattern.test(each));
    from = at + 1;
    return at !== -1;
  });
}

/** Columns are as wide as what is in them. */
function squeezed(line: string): string {
  return line.trim().replaceAll(/\s+/g, ' ');
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
