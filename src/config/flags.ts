/** The flags of v2's manager, with one or two dashes as Go reads them, and what they mean here. */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface Flags {
  readonly configPath: string;
  readonly kubeconfig?: string;
  /** `host:port` or `:port`; `0`: off */
  readonly metricsBindAddress: string;
  /** HTTPS with token and access review */
  readonly metricsSecure: boolean;
  readonly metricsCertificate: CertificateFiles;
  /** `host:port` or `:port`; `0`: off */
  readonly temporalMetricsBindAddress: string;
  readonly healthProbeBindAddress: string;
  /** an empty folder: kuik makes its own */
  readonly webhookCertificate: CertificateFiles;
  /** `host:port` or `:port` */
  readonly webhookBindAddress: string;
  /** where the API server reaches a webhook outside its cluster; absent: through the Service of the install namespace */
  readonly webhookUrl?: string;
  readonly http2: boolean;
  readonly logLevel: LogLevel;
  readonly logEncoder: 'json' | 'console';
  readonly logTimes: string;
}

export interface CertificateFiles {
  readonly folder: string;
  readonly certificate: string;
  readonly key: string;
}

interface Flag {
  readonly usual: string;
  readonly help: string;
  /** may stand without a value */
  readonly isBoolean?: true;
  readonly check?: (value: string) => string | undefined;
}

const oneOf =
  (...values: readonly string[]) =>
  (value: string): string | undefined =>
    values.includes(value.toLowerCase()) ? undefined : `write one of ${values.join(', ')}`;

const address = (...also: readonly string[]) => ({ check: (value: string) => (also.includes(value) || isBindAddress(value) ? undefined : ['write host:port', ':port', ...also.map((word) => `or ${word} for off`)].join(', ')) });

const boolean = { isBoolean: true, check: (value: string) => (readBoolean(value) === undefined ? 'write true or false' : undefined) } as const;

/** All flags; the reference page prints them. */
export const knownFlags = {
  config: { usual: '/etc/kube-image-keeper/config.yaml', help: 'The configuration file; a missing one gives the defaults.' },
  kubeconfig: { usual: '', help: 'A kubeconfig file. Default: KUBECONFIG, else the service account.' },
  'metrics-bind-address': { usual: '0', help: 'Where metrics are served, such as :8080; 0 is off.', ...address('0') },
  'metrics-secure': { usual: 'true', help: 'Whether metrics are served over HTTPS, to tokens whose roles let them get the path /metrics.', ...boolean },
  'metrics-cert-path': { usual: '', help: 'Folder of the certificate for metrics. Default: one that kuik makes, and nobody can check.' },
  'metrics-cert-name': { usual: 'tls.crt', help: 'Certificate in that folder.' },
  'metrics-cert-key': { usual: 'tls.key', help: 'Key in that folder.' },
  'temporal-metrics-bind-address': { usual: '0', help: "Where the manager serves the metrics of the Temporal SDK, over plain HTTP, such as :8082; 0 is off.", ...address('0') },
  'health-probe-bind-address': { usual: ':8081', help: 'Where /healthz and /readyz are served.', ...address('0') },
  'webhook-cert-path': { usual: '', help: 'Folder of the certificate of the webhook; to be given to the manager, too, which then makes no authority, and publishes ca.crt of that folder. Default: kuik makes its own.' },
  'webhook-cert-name': { usual: 'tls.crt', help: 'Certificate in that folder.' },
  'webhook-cert-key': { usual: 'tls.key', help: 'Key in that folder.' },
  'webhook-bind-address': { usual: ':9443', help: 'Where reviews are answered.', ...address() },
  'webhook-url': { usual: '', help: 'Base URL of the webhook, such as https://10.0.0.5:9443, for an API server that reaches it without a Service: outside the cluster. The webhook then registers itself.', check: (value) => (value === '' || isHttpsUrl(value) ? undefined : 'write an https URL') },
  'enable-http2': { usual: 'false', help: 'Whether HTTP/2 is spoken.', ...boolean },
  'zap-log-level': { usual: '', help: 'debug, info, warn, error, or a number: 0 is info, more is debug.', check: (value) => (readLevel(value) === undefined ? 'write debug, info, warn, error or a number' : undefined) },
  'zap-encoder': { usual: '', help: 'json or console.', check: oneOf('json', 'console') },
  'zap-devel': { usual: 'false', help: 'Logs for people: level debug, encoder console.', ...boolean },
  'zap-time-encoding': { usual: 'epoch', help: 'Accepted without effect: times are RFC 3339.', check: oneOf('epoch', 'millis', 'nano', 'iso8601', 'rfc3339', 'rfc3339nano') },
  'zap-stacktrace-level': { usual: '', help: 'Accepted without effect: errors always carry their stack.', check: oneOf('info', 'error', 'panic') },
  'leader-elect': { usual: 'false', help: 'Accepted without effect: the manager always elects.', ...boolean },
} as const satisfies Record<string, Flag>;

type FlagName = keyof typeof knownFlags;

/**
 * Reads flags: `-flag=value`, `-flag value`, and for booleans also `-flag` alone; the last one wins.
 *
 * @param args without program and command
 * @returns every problem at once; any of them stops the start
 */
export function parseFlags(args: readonly string[]): { readonly flags: Flags; readonly problems?: undefined } | { readonly problems: readonly string[]; readonly flags?: undefined } {
  const values = new Map<FlagName, string>();
  const problems: string[] = [];
  const left = [...args];
  for (let arg = left.shift(); arg !== undefined; arg = left.shift()) {
    const [, written = '', assigned] = /^--?([^-=][^=]*)(?:=(.*))?$/s.exec(arg) ?? [];
    if (!isKnown(written)) {
      problems.push(unknownText(arg, written));
      continue;
    }
    const flag: Flag = knownFlags[written];
    const value = assigned ?? (flag.isBoolean ? 'true' : left.shift());
    const problem = value === undefined ? 'needs a value' : flag.check?.(value);
    if (problem !== undefined) problems.push(`flag -${written}${value === undefined ? '' : ` is ${JSON.stringify(value)}`}: ${problem}`);
    values.set(written, value ?? '');
  }
  if (problems.length > 0) return { problems };

  const flags = toFlags((name) => values.get(name) ?? knownFlags[name].usual);
  return { flags };
}

function isKnown(name: string): name is FlagName {
  return Object.hasOwn(knownFlags, name);
}

function unknownText(arg: string, name: string): string {
  if (name === '') return `unexpected argument ${JSON.stringify(arg)}: flags start with one or two dashes`;
  return `unknown flag -${name}; known are ${Object.keys(knownFlags).join(', ')}`;
}

function toFlags(value: (name: FlagName) => string): Flags {
  const isOn = (name: FlagName): boolean => readBoolean(value(name)) === true;
  const certificate = (what: 'metrics' | 'webhook'): CertificateFiles => ({ folder: value(`${what}-cert-path`), certificate: value(`${what}-cert-name`), key: value(`${what}-cert-key`) });
  return {
    configPath: value('config'),
    ...(value('kubeconfig') !== '' && { kubeconfig: value('kubeconfig') }),
    metricsBindAddress: value('metrics-bind-address'),
    metricsSecure: isOn('metrics-secure'),
    metricsCertificate: certificate('metrics'),
    temporalMetricsBindAddress: value('temporal-metrics-bind-address'),
    healthProbeBindAddress: value('health-probe-bind-address'),
    webhookCertificate: certificate('webhook'),
    webhookBindAddress: value('webhook-bind-address'),
    ...(value('webhook-url') !== '' && { webhookUrl: value('webhook-url') }),
    http2: isOn('enable-http2'),
    logLevel: readLevel(value('zap-log-level')) ?? (isOn('zap-devel') ? 'debug' : 'info'),
    logEncoder: value('zap-encoder').toLowerCase() === 'console' || (value('zap-encoder') === '' && isOn('zap-devel')) ? 'console' : 'json',
    logTimes: value('zap-time-encoding').toLowerCase(),
  };
}

/** What Go's `strconv.ParseBool` accepts. */
function readBoolean(text: string): boolean | undefined {
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true;
  return ['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text) ? false : undefined;
}

function isHttpsUrl(text: string): boolean {
  return URL.parse(text)?.protocol === 'https:';
}

/** `host:port`, `[2001:db8::1]:port` or `:port`; whether it is free shows only when it is taken. */
function isBindAddress(text: string): boolean {
  const [, port] = /:(\d+)$/.exec(text) ?? [];
  return port !== undefined && Number(port) <= 65_535;
}

/** zap counts verbosity upwards from info. */
function readLevel(text: string): LogLevel | undefined {
  const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
  if (/^\d+$/.test(text)) return Number(text) > 0 ? 'debug' : 'info';
  return levels.find((level) => level === text.toLowerCase());
}
