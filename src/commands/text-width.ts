/** How texts lie on a terminal, where some characters take two columns, some none, and some are no characters at all. */

const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Columns a text takes: most characters one, those of East Asian scripts and emoji two. */
export function widthOf(text: string): number {
  if (isPlain(text)) return text.length;
  let width = 0;
  for (const { segment } of segmenter.segment(text)) width += widthOfOne(segment);
  return width;
}

/** The text, or as much of it from the start as fits into so many columns. */
export function fitting(text: string, columns: number): string {
  if (isPlain(text)) return text.slice(0, Math.max(0, columns));
  let [fits, left] = ['', columns];
  for (const { segment } of segmenter.segment(text)) {
    left -= widthOfOne(segment);
    if (left < 0) break;
    fits += segment;
  }
  return fits;
}

/** With blanks behind it, as wide as the column it stands in. */
export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)));
}

/** What others wrote, without what would move the cursor, colour the screen, or end the line: a Pod may name any image. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- these are the characters to take out
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, '\ufffd');
}

function isPlain(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

/** What a person sees as one character. @see https://www.unicode.org/reports/tr11/ */
function widthOfOne(segment: string): 0 | 1 | 2 {
  if (/^[\p{Mark}\p{Control}\p{Format}]+$/u.test(segment)) return 0;
  return wide.test(segment) ? 2 : 1;
}

/** The blocks of width W and F, with all of emoji that terminals draw as such. */
const wide = /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{1f1e6}-\u{1f1ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|.\ufe0f)/u;
