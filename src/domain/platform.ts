/** An operating system and processor; an empty field matches any. */
export interface Platform {
  readonly os?: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** `os/architecture[/variant]`; an empty field prints as `*`. */
export function platformText(platform: Platform): string {
  const variant = platform.variant ? `/${platform.variant}` : '';
  return `${platform.os || '*'}/${platform.architecture || '*'}${variant}`;
}

/** Reads `os/architecture[/variant]`, where `*` is an empty field; undefined when it has another form. */
export function parsePlatform(text: string): Platform | undefined {
  const [os, architecture, variant, ...more] = text.split('/').map((field) => (field === '*' ? '' : field));
  if (os === undefined || architecture === undefined || more.length > 0) return undefined;
  return { ...(os === '' ? {} : { os }), architecture, ...(variant ? { variant } : {}) };
}

/**
 * Whether a manifest's platform meets a wanted one: equal in every field that is not empty,
 * where `arm64` equals `arm64/v8` and `arm` equals `arm/v7`.
 *
 * @see OCI image specification 1.1, image-index.md, "Platform Variants"
 */
export function meetsPlatform(found: Platform, wanted: Partial<Platform>): boolean {
  return (
    (!wanted.os || wanted.os === found.os) &&
    (!wanted.architecture || wanted.architecture === found.architecture) &&
    (!wanted.variant || variantOf(wanted) === variantOf(found))
  );
}

/** Wanted platforms and more of them; one that is covered already is not named twice. */
export function withPlatforms(wanted: readonly Platform[], more: readonly Platform[]): readonly Platform[] {
  return more.reduce<readonly Platform[]>((all, platform) => (all.some((known) => meetsPlatform(platform, known)) ? all : [...all, platform]), wanted);
}

const usualVariant: Readonly<Record<string, string>> = { arm64: 'v8', arm: 'v7' };

function variantOf({ architecture = '', variant }: Partial<Platform>): string {
  return variant || (usualVariant[architecture] ?? '');
}
