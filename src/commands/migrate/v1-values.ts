/** Values of v1's chart that have a counterpart here, as its user set them: those it left alone are not among them. */
import { z } from 'zod';
import { issueText } from '../../config/issues.js';

const texts = z.array(z.string()).optional();

export const V1Values = z.object({
  /** days */
  cachedImagesExpiryDelay: z.number().optional(),
  architectures: texts,
  insecureRegistries: texts,
  rootCertificateAuthorities: z.object({ secretName: z.string().optional(), keys: texts }).optional(),
  controllers: z
    .object({
      env: z.array(z.object({ name: z.string(), value: z.string().optional() })).optional(),
      webhook: z
        .object({
          ignoredNamespaces: texts,
          ignoredImages: texts,
          acceptedImages: texts,
          /** the chart says yes */
          ignorePullPolicyAlways: z.boolean().optional(),
          objectSelector: z.object({ matchExpressions: z.array(z.unknown()).optional() }).optional(),
        })
        .optional(),
    })
    .optional(),
  proxy: z.object({ hostPort: z.number().optional() }).optional(),
});
export type V1Values = z.infer<typeof V1Values>;

/** @returns what is wrong with the first wrong value, as a text */
export function parseV1Values(value: unknown): V1Values | string {
  const given = withoutNulls(value) ?? {};
  const read = V1Values.safeParse(given);
  const [issue] = read.error?.issues ?? [];
  return issue === undefined ? (read.data ?? {}) : issueText(issue, given);
}

/** To Helm a null is a value that was taken back. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([key, each]) => (each === null ? [] : [[key, withoutNulls(each)]])));
}
