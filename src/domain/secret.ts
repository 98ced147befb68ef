/** Secrets, as far as kuik reads and writes them. */

export interface Secret {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  /** `kubernetes.io/dockerconfigjson`, ... */
  readonly type: string;
  /** decoded from base64 */
  readonly data: Readonly<Record<string, Uint8Array>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface AppliedSecret {
  readonly namespace: string;
  readonly name: string;
  /** only while the Secret is as it was read; else `conflict` */
  readonly version?: string;
  readonly type: string;
  readonly data: Readonly<Record<string, Uint8Array>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly owner?: { readonly apiVersion: string; readonly kind: string; readonly name: string; readonly uid: string };
}
