/** Whether the user asked for plain output everywhere. @see https://no-color.org */
export function wantsNoColor(environment: Readonly<Record<string, string | undefined>> = process.env): boolean {
  return !!environment['NO_COLOR'];
}
