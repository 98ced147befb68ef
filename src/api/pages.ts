/** The reference pages that are no kind: failures, reasons, configuration. */
import { flagRows, keyRows, type KeyRow } from '../config/reference.js';
import { formatDuration } from '../domain/duration.js';
import { eventReasons } from '../domain/event-reasons.js';
import { failureCodes, failures } from '../domain/failure.js';
import { routeReasons, type RouteReason } from '../domain/names.js';
import { leftAloneReasons, type LeftAloneReason } from '../domain/opt-out.js';
import { passOverReasons, type PassOverReason } from '../domain/pass-over.js';
import { loudness, toldReasons } from '../domain/pod-news.js';
import { conditionReasons } from './condition-reasons.js';
import { code, table } from './markdown.js';

const routeReasonHelp: Readonly<Record<RouteReason, string>> = {
  OnlyOrigin: 'Kept: no rule offers another place for this image.',
  OriginAvailable: 'Kept: the original image ranks first, and its registry answers.',
  PreferredUnavailable: 'Kept: a place with a better rank did not answer, the original image did.',
  NoPlaceAvailable: 'Kept: no place answered in time, so the text of the user stands.',
  PlacePreferred: 'Rewritten to a place that ranks before the original image.',
  OriginUnavailable: 'Rewritten: the original image could not be pulled.',
  OriginDiscarded: 'Rewritten: a rule says never to pull from the original registry (`discardAlternative`).',
  V1Reference: 'Rewritten: the name was one of the proxy of kuik v1 and is read as what it stood for.',
  PullPolicyNever: 'Kept: the kubelet never pulls this image.',
  InvalidReference: 'Kept: the text is no image reference.',
  Error: 'Kept: this container could not be decided; the log says why.',
};

const leftAloneHelp: Readonly<Record<LeftAloneReason, string>> = {
  StaticPod: 'The kubelet made it from a file, or a node owns it: it runs already.',
  Deleted: 'It is being deleted.',
  Recorded: 'Its user named the container in the annotation `kuik.enix.io/original-images`, which opts it out of routing. On a Pod that v2 admitted it may also be one that v2 left as it was.',
  PodIgnored: 'The Pod has the label `kuik.enix.io/ignore=true`.',
  V1Policy: 'The Pod has the label `kube-image-keeper.enix.io/image-caching-policy=ignore` of kuik v1.',
  NamespaceIgnored: 'Its namespace has the label `kuik.enix.io/ignore=true`.',
  SkipNamespaces: 'Its namespace matches a pattern of `skipNamespaces`.',
  SkipLabels: 'Its labels match a selector of `skipLabels`.',
  SkipAnnotations: 'Its annotations match a selector of `skipAnnotations`.',
};

const passOverHelp: Readonly<Record<PassOverReason, string>> = {
  Retiring: 'The copy there is about to be deleted.',
  HeldByAnotherImage: 'It holds the copy of another image: two images may want one destination.',
  SecretMissing: 'The Secret it needs is missing or unusable.',
  SecretNotNamed: 'It needs a Secret that a live Pod does not name and can no longer be given.',
  PlatformMissing: 'It is known to lack the platform the Pod states.',
};

const retryWords = { again: 'again, backing off', once: 'once', final: 'no' } as const;

export function failuresPage(): string {
  const rows = failureCodes.map((name) => {
    const { retry, slowRetryMs, state, reason, help } = failures[name];
    return [code(name), help, retryWords[retry], formatDuration(slowRetryMs), state === 'unchanged' ? 'unchanged' : code(state), code(reason)];
  });
  return [
    '# Failures',
    'What can go wrong between kuik and a registry. A record, a log line and a failed workflow carry the code; conditions carry the reason.',
    'A copy that failed is tried again by itself for as long as somebody wants it: first after the time below, then after twice that, up to 6h.',
    table(['Code', 'Meaning, and what to do', 'Tried again at once', 'Tried again later', 'A check reports', 'Condition reason'], rows),
  ].join('\n\n');
}

export function reasonsPage(): string {
  return [
    '# Reasons',
    '## Why a container is pulled from where it is',
    'In the annotation `kuik.enix.io/reason`, in Events, metrics, logs, and in `kuik explain`.',
    table(['Reason', 'Meaning'], routeReasons.map((reason) => [code(reason), routeReasonHelp[reason]])),
    '## Why a Pod is left alone',
    'Nothing is decided and nothing written on it. `kuik explain` says so.',
    table(['Reason', 'Meaning'], leftAloneReasons.map((reason) => [code(reason), leftAloneHelp[reason]])),
    '## Why a place is not asked',
    '`kuik explain` says it in words.',
    table(['Reason', 'Meaning'], passOverReasons.map((reason) => [code(reason), passOverHelp[reason]])),
    '## What an event says',
    'Events have the verb as their action. At most one is written per object and reason in five minutes; those in between are counted. Of a copy that stopped and waits for a human, the reason is that of the [failure](failures.md).',
    table(['Action', 'Reason', 'Type', 'On', 'When'], eventRows()),
    '## Why a condition is as it is',
    'In `status.conditions` of the rules. The reasons of [failures](failures.md) appear there, too.',
    table(['Reason', 'Meaning'], Object.entries(conditionReasons).map(([reason, help]) => [code(reason), help])),
  ].join('\n\n');
}

function eventRows(): string[][] {
  return [
    ...toldReasons.map((reason) => ['Route', code(reason), loudness[reason], 'the Pod', routeReasonHelp[reason]]),
    ...Object.entries(eventReasons).map(([reason, { action, type, on, help }]) => [action, code(reason), type, on, help]),
  ];
}

export function configurationPage(): string {
  const rows = (keys: readonly KeyRow[]): string[][] => keys.map(({ key, type, usual, description }) => [code(key), type, code(usual), description]);
  return [
    '# Configuration',
    'YAML at `/etc/kube-image-keeper/config.yaml` (flag `-config`), read once at the start; a missing file gives the defaults. Keys merge over the defaults, lists replace, maps merge by key. An unknown key is a warning, a wrong value stops the start; all problems are reported at once.',
    'A duration is decimal numbers each with a unit `ns`, `us`, `ms`, `s`, `m`, `h`, such as `1h30m`, or `0`; days are not a unit. Selectors have the grammar of Kubernetes label selectors, patterns are RE2 and match whole texts.',
    table(['Key', 'Type', 'Default', 'Meaning'], rows(keyRows())),
    '## Flags',
    'With one or two dashes, as `-flag=value` or `-flag value`. An unknown flag stops the start.',
    table(['Flag', 'Type', 'Default', 'Meaning'], rows(flagRows())),
    '## Environment',
    table(['Variable', 'Meaning'], environment.map(([name, help]) => [code(name), help])),
  ].join('\n\n');
}

const environment = [
  ['POD_NAMESPACE', 'The namespace kuik is installed in. Default: that of the service account, else `kuik-system`.'],
  ['KUIK_FULL_NAME', 'What the names of the objects of the chart begin with. Default: `kube-image-keeper`; commands that only look find an installation of another name by the labels of its ConfigMap; `kuik uninstall` and `kuik check --pre` want to be told.'],
  ['KUIK_DATABASE_SECRET', 'A Secret of the install namespace in which the leading manager makes a password for the bundled database where there is none. Default: none.'],
  ['KUBECONFIG', 'A kubeconfig file, when `-kubeconfig` does not name one.'],
  ['ENABLE_WEBHOOKS', '`false`: `kuik run` works without the webhook, and no manager makes an authority for one.'],
  ['HTTP_PROXY, HTTPS_PROXY, NO_PROXY', 'Proxies for registries; `NO_PROXY` takes suffixes, ports, addresses and CIDRs. Lower case works, too.'],
  ['NO_COLOR', 'When set, nothing is printed in colour.'],
] as const;
