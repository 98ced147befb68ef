/** When each alert fires, and when it does not: what Prometheus has seen, minute by minute, and what it says then. */

export interface AlertCase {
  readonly alert: string;
  readonly sentence: string;
  /** samples a minute apart, in the notation of promtool: `0+6x10` grows by 6 ten times, `_` is none */
  readonly seen: Readonly<Record<string, string>>;
  /** when it is looked at */
  readonly at: string;
  /** what is said; nothing where it does not fire */
  readonly fires?: readonly Said[];
}

interface Said {
  readonly severity: 'warning' | 'critical';
  /** beside the namespace; `absent` where there is nothing whose namespace could be told */
  readonly labels?: Readonly<Record<string, string>> | 'absent';
  readonly description: string;
}

const kuik = 'namespace="kuik-system"';
const ours = (name: string, labels = ''): string => `kube_image_keeper_${name}{${[kuik, labels].filter((text) => text !== '').join(',')}}`;
const day = 86_400;

const views = (pod: string): string => ours('view_synced', `pod="${pod}",view="rules"`);
const leaf = (pod: string): string => ours('certificate_not_after_seconds', `pod="${pod}",certificate="leaf"`);
const nobody = 'For 5 minutes no replica has been ready. New Pods start as if kube-image-keeper were not installed; they pull from where their users wrote, available or not.';
const unpolled = 'For 10 minutes no manager has taken work from Temporal. Pods are routed as before; nothing is copied, checked or deleted.';
const broken = 'The code does not fit the history of a workflow, or its steps fail again and again. The copies that this workflow keeps are neither renewed nor deleted until it goes on.';
const pollers = `temporal_num_pollers{${kuik},exported_namespace="kuik",poller_type="workflow_task",task_queue="kuik"}`;
const activityPollers = (queue: string): string => `temporal_num_pollers{${kuik},exported_namespace="kuik",poller_type="activity_task",task_queue="${queue}"}`;
const noPlace = (labels = ''): string => ours('routing_decisions_total', `${labels}verdict="keep",reason="NoPlaceAvailable"`);
const started = (pod: string): string => `process_start_time_seconds{${kuik},pod="${pod}"}`;
const lost = (count: number | string, registry?: string): string => `${count} images${registry === undefined ? '' : ` of ${registry}`} are neither where they come from nor anywhere else. Pods that run go on; one that is made again stays in ImagePullBackOff unless its node has the image.`;
const lasting = (certificate: string, { days, left }: { readonly days: number; readonly left: number }): Readonly<Record<string, string>> => ({
  [ours('certificate_not_before_seconds', `pod="a",certificate="${certificate}"`)]: `${(left - days) * day}x120`,
  [ours('certificate_not_after_seconds', `pod="a",certificate="${certificate}"`)]: `${left * day}x120`,
});
const expiring = (severity: Said['severity'], certificate: string, left: string): Said => ({
  severity,
  labels: { certificate },
  description: `The certificate ${certificate} ends in ${left}${severity === 'warning' ? ', and should have been renewed by now.' : '. After that the API server cannot ask kube-image-keeper any more, and Pods start as their users wrote them.'}`,
});
const undecided = (pod: string): string => ours('admission_reviews_total', `pod="${pod}",outcome="failed_open"`);
const letThrough = (count: number): string => `${count} Pods were admitted undecided in the last ten minutes, because something went wrong. They start, but from where their users wrote, available or not.`;
const limited = { severity: 'warning', labels: { registry: 'docker.io' }, description: 'For 15 minutes docker.io has refused requests because there were too many, or asked not to be asked for so long.' } as const;
const refused = ours('registry_requests_total', 'pod="a",registry="docker.io",purpose="copy",result="throttled"');
const askedToWait = (pod: string): string => ours('registry_throttled_seconds', `pod="${pod}",registry="docker.io"`);
const tokens = (result: string): string => ours('registry_token_requests_total', `pod="a",registry="docker.io",result="${result}"`);
const failedSteps = (reason: string): string => `temporal_workflow_task_execution_failed_total{${kuik},failure_reason="${reason}"}`;

export const alertCases: readonly AlertCase[] = [
  { alert: 'KuikWebhookAbsent', sentence: 'fires when no replica can be scraped', seen: { 'up{job="other"}': '1x20' }, at: '6m', fires: [{ severity: 'critical', labels: 'absent', description: nobody }] },
  { alert: 'KuikWebhookAbsent', sentence: 'fires when the only replica has not seen all rules', seen: { [views('a')]: '0x20', [leaf('a')]: `${30 * day}x20` }, at: '6m', fires: [{ severity: 'critical', labels: 'absent', description: nobody }] },
  { alert: 'KuikWebhookAbsent', sentence: 'fires when the certificate of the only replica has ended', seen: { [views('a')]: '1x20', [leaf('a')]: '60x20' }, at: '8m', fires: [{ severity: 'critical', labels: 'absent', description: nobody }] },
  { alert: 'KuikWebhookAbsent', sentence: 'is quiet while one of two is ready', seen: { [views('a')]: '1x20', [leaf('a')]: `${30 * day}x20`, [views('b')]: '0x20' }, at: '10m' },
  { alert: 'KuikWebhookAbsent', sentence: 'is quiet while Pods are replaced', seen: { [views('a')]: '1 1 1 _ _ _ 1x10', [leaf('a')]: `${30 * day}x2 _ _ _ ${30 * day}x10` }, at: '8m' },

  { alert: 'KuikWebhookSlow', sentence: 'fires when one in fifty takes two seconds', seen: { [ours('admission_duration_seconds_bucket', 'le="1"')]: '0+98x30', [ours('admission_duration_seconds_bucket', 'le="2"')]: '0+100x30', [ours('admission_duration_seconds_bucket', 'le="+Inf"')]: '0+100x30' }, at: '20m', fires: [{ severity: 'warning', description: 'One review in a hundred takes more than 1.5s. Above 3 s the API server waits no longer, and Pods start as their users wrote them.' }] },
  { alert: 'KuikWebhookSlow', sentence: 'is quiet when one in two hundred does', seen: { [ours('admission_duration_seconds_bucket', 'le="1"')]: '0+199x30', [ours('admission_duration_seconds_bucket', 'le="2"')]: '0+200x30', [ours('admission_duration_seconds_bucket', 'le="+Inf"')]: '0+200x30' }, at: '20m' },
  { alert: 'KuikWebhookSlow', sentence: 'is quiet when nobody creates Pods', seen: { [ours('admission_duration_seconds_bucket', 'le="1"')]: '7x30', [ours('admission_duration_seconds_bucket', 'le="+Inf"')]: '7x30' }, at: '20m' },

  { alert: 'KuikFailingOpen', sentence: 'fires when reviews go wrong for five minutes', seen: { [undecided('a')]: '0+6x20' }, at: '10m', fires: [{ severity: 'critical', description: letThrough(60) }] },
  { alert: 'KuikFailingOpen', sentence: 'fires at a burst that is over', seen: { [undecided('a')]: '0 0 6x30' }, at: '9m', fires: [{ severity: 'critical', description: letThrough(6) }] },
  { alert: 'KuikFailingOpen', sentence: 'fires at a burst before anybody asked a webhook that had just started', seen: { [undecided('a')]: '0x40', [started('a')]: '0x40', [undecided('b')]: '_x5 5x30', [started('b')]: '_x5 270x30' }, at: '11m', fires: [{ severity: 'critical', description: letThrough(5) }] },
  { alert: 'KuikFailingOpen', sentence: 'is over ten minutes after that burst', seen: { [undecided('b')]: '_x5 5x30', [started('b')]: '_x5 270x30' }, at: '16m' },
  { alert: 'KuikFailingOpen', sentence: 'is quiet about what was long before anybody asked', seen: { [undecided('a')]: '_x25 2x30', [started('a')]: '_x25 60x30' }, at: '33m' },
  { alert: 'KuikFailingOpen', sentence: 'is quiet when webhooks start', seen: { [undecided('a')]: '_x5 0x30', [started('a')]: '_x5 270x30' }, at: '11m' },
  { alert: 'KuikFailingOpen', sentence: 'is quiet when other reviews are answered', seen: { [undecided('a')]: '3x20', [ours('admission_reviews_total', 'pod="a",outcome="rewritten"')]: '0+60x20' }, at: '10m' },

  { alert: 'KuikImageUnavailable', sentence: 'fires when an image in use is nowhere', seen: { [ours('images_unavailable', 'registry="docker.io"')]: '2x20' }, at: '6m', fires: [{ severity: 'critical', labels: { registry: 'docker.io' }, description: '2 images of docker.io are neither where they come from nor anywhere else. Pods that run go on; one that is made again stays in ImagePullBackOff unless its node has the image.' }] },
  { alert: 'KuikImageUnavailable', sentence: 'fires when Pods are admitted and no place answers', seen: { [ours('routing_decisions_total', 'verdict="keep",reason="NoPlaceAvailable"')]: '0+1x20' }, at: '15m', fires: [{ severity: 'critical', description: '10 images are neither where they come from nor anywhere else. Pods that run go on; one that is made again stays in ImagePullBackOff unless its node has the image.' }] },
  { alert: 'KuikImageUnavailable', sentence: 'fires at the first Pods that no place answers for', seen: { [noPlace('pod="a",')]: '0 0 2x30' }, at: '9m', fires: [{ severity: 'critical', description: lost(2) }] },
  { alert: 'KuikImageUnavailable', sentence: 'fires when that was before anybody asked a webhook that had just started', seen: { [noPlace('pod="a",')]: '_x5 2x30', [started('a')]: '_x5 270x30' }, at: '11m', fires: [{ severity: 'critical', description: lost(2) }] },
  { alert: 'KuikImageUnavailable', sentence: 'is quiet about what was long before anybody asked', seen: { [noPlace('pod="a",')]: '_x25 2x30', [started('a')]: '_x25 60x30' }, at: '33m' },
  { alert: 'KuikImageUnavailable', sentence: 'goes on when another manager leads', seen: { [ours('images_unavailable', 'pod="a",registry="docker.io"')]: '1x3 stale', [ours('images_unavailable', 'pod="b",registry="docker.io"')]: '_x6 1x30' }, at: '8m', fires: [{ severity: 'critical', labels: { registry: 'docker.io' }, description: lost('1', 'docker.io') }] },
  { alert: 'KuikImageUnavailable', sentence: 'does not count an image twice when another manager leads', seen: { [ours('images_unavailable', 'pod="a",registry="docker.io"')]: '3x10 stale', [ours('images_unavailable', 'pod="b",registry="docker.io"')]: '_x10 3x30' }, at: '14m', fires: [{ severity: 'critical', labels: { registry: 'docker.io' }, description: lost('3', 'docker.io') }] },
  { alert: 'KuikImageUnavailable', sentence: 'is quiet about two minutes', seen: { [ours('images_unavailable', 'pod="a",registry="docker.io"')]: '0 0 1 1 0x30' }, at: '9m' },
  { alert: 'KuikImageUnavailable', sentence: 'is quiet when images are elsewhere', seen: { [ours('routing_decisions_total', 'verdict="rewrite",reason="OriginUnavailable"')]: '0+9x20' }, at: '15m' },

  { alert: 'KuikCertificateExpiring', sentence: 'warns a month before an authority of a year ends', seen: lasting('ca', { days: 365, left: 20 }), at: '90m', fires: [expiring('warning', 'ca', '19d 22h 30m 0s')] },
  { alert: 'KuikCertificateExpiring', sentence: 'warns a month before a certificate of ten years ends', seen: lasting('provided', { days: 3650, left: 30 }), at: '90m', fires: [expiring('warning', 'provided', '29d 22h 30m 0s')] },
  { alert: 'KuikCertificateExpiring', sentence: 'is critical a week before a certificate of 90 days that others made ends', seen: lasting('provided', { days: 90, left: 5 }), at: '90m', fires: [expiring('critical', 'provided', '4d 22h 30m 0s'), expiring('warning', 'provided', '4d 22h 30m 0s')] },
  { alert: 'KuikCertificateExpiring', sentence: 'warns when a certificate of 32 days was not renewed', seen: lasting('provided', { days: 32, left: 7 }), at: '90m', fires: [expiring('warning', 'provided', '6d 22h 30m 0s')] },
  { alert: 'KuikCertificateExpiring', sentence: 'is critical while a certificate of a day still holds for an hour', seen: lasting('provided', { days: 1, left: 3 / 24 }), at: '90m', fires: [expiring('critical', 'provided', '1h 30m 0s'), expiring('warning', 'provided', '1h 30m 0s')] },
  { alert: 'KuikCertificateExpiring', sentence: 'is critical when a leaf of ours was not renewed', seen: lasting('leaf', { days: 7, left: 0.5 }), at: '90m', fires: [expiring('critical', 'leaf', '10h 30m 0s'), expiring('warning', 'leaf', '10h 30m 0s')] },
  { alert: 'KuikCertificateExpiring', sentence: 'is quiet about leaves, which live seven days', seen: { ...lasting('leaf', { days: 7, left: 2.3 }), ...lasting('ca', { days: 365, left: 200 }) }, at: '90m' },
  ...[1, 32, 90, 3650].map((days) => ({ alert: 'KuikCertificateExpiring', sentence: `is quiet about a certificate of ${days} days that cert-manager is about to renew`, seen: lasting('provided', { days, left: days / 3 }), at: '90m' })),

  { alert: 'KuikMirrorFailing', sentence: 'fires after an hour', seen: { [ours('mirroring_images', 'kind="ImageSetMirror",exported_namespace="shop",name="main",state="failed"')]: '3x120' }, at: '65m', fires: [{ severity: 'warning', labels: { kind: 'ImageSetMirror', exported_namespace: 'shop', name: 'main' }, description: '3 images of ImageSetMirror shop/main have no copy, and trying again has not helped.' }] },
  { alert: 'KuikMirrorFailing', sentence: 'goes on when another manager leads', seen: { [ours('mirroring_images', 'pod="a",kind="ClusterImageSetMirror",name="all",state="failed"')]: '1x30 stale', [ours('mirroring_images', 'pod="b",kind="ClusterImageSetMirror",name="all",state="failed"')]: '_x30 1x90' }, at: '70m', fires: [{ severity: 'warning', labels: { kind: 'ClusterImageSetMirror', name: 'all' }, description: '1 images of ClusterImageSetMirror all have no copy, and trying again has not helped.' }] },
  { alert: 'KuikMirrorFailing', sentence: 'goes on when it takes minutes until another manager leads', seen: { [ours('mirroring_images', 'pod="a",kind="ClusterImageSetMirror",name="all",state="failed"')]: '1x30 stale', [ours('mirroring_images', 'pod="b",kind="ClusterImageSetMirror",name="all",state="failed"')]: '_x34 1x90' }, at: '70m', fires: [{ severity: 'warning', labels: { kind: 'ClusterImageSetMirror', name: 'all' }, description: '1 images of ClusterImageSetMirror all have no copy, and trying again has not helped.' }] },
  { alert: 'KuikMirrorFailing', sentence: 'is quiet when trying again helps', seen: { [ours('mirroring_images', 'kind="ImageSetMirror",exported_namespace="shop",name="main",state="failed"')]: '3x50 0x70' }, at: '100m' },

  { alert: 'KuikMirrorQueueOld', sentence: 'fires when a copy waits for more than an hour', seen: { [ours('mirroring_oldest_waiting_seconds', 'registry="mirror.example.com"')]: '0+60x120' }, at: '70m', fires: [{ severity: 'warning', labels: { registry: 'mirror.example.com' }, description: 'The oldest copy to mirror.example.com that is wanted and has not failed has waited for 1h 10m 0s.' }] },
  { alert: 'KuikMirrorQueueOld', sentence: 'goes on when it takes minutes until another manager leads', seen: { [ours('mirroring_oldest_waiting_seconds', 'pod="a",registry="mirror.example.com"')]: '0+60x62 stale', [ours('mirroring_oldest_waiting_seconds', 'pod="b",registry="mirror.example.com"')]: '_x66 3960+60x60' }, at: '70m', fires: [{ severity: 'warning', labels: { registry: 'mirror.example.com' }, description: 'The oldest copy to mirror.example.com that is wanted and has not failed has waited for 1h 10m 0s.' }] },
  { alert: 'KuikMirrorQueueOld', sentence: 'is quiet while copies are made', seen: { [ours('mirroring_oldest_waiting_seconds', 'registry="mirror.example.com"')]: '0+60x30 0x60' }, at: '70m' },

  { alert: 'KuikRegistryThrottled', sentence: 'fires after a quarter of an hour', seen: { [refused]: '0+2x60' }, at: '20m', fires: [limited] },
  { alert: 'KuikRegistryThrottled', sentence: 'fires when it is the token service that limits us', seen: { [tokens('throttled')]: '0+2x60' }, at: '20m', fires: [limited] },
  // a registry that asks for an hour is asked once an hour
  ...['20m', '55m', '63m', '80m'].map((at) => ({ alert: 'KuikRegistryThrottled', sentence: `fires while it wants an hour between two requests, still after ${at}`, seen: { [refused]: '0 1x60 2x60', [askedToWait('a')]: '0 3600-60x60 3600-60x60' }, at, fires: [limited] })),
  { alert: 'KuikRegistryThrottled', sentence: 'fires for what it asked for before anybody looked', seen: { [refused]: '1x60', [askedToWait('a')]: '3600-60x60', [askedToWait('b')]: '0x60' }, at: '20m', fires: [limited] },
  { alert: 'KuikRegistryThrottled', sentence: 'is quiet once it may be asked again', seen: { [refused]: '0 1x90', [askedToWait('a')]: '0 3600-60x60 0x30' }, at: '65m' },
  { alert: 'KuikRegistryThrottled', sentence: 'is quiet about tokens that are refused for another reason', seen: { [tokens('refused')]: '0+2x60', [tokens('granted')]: '0+2x60' }, at: '20m' },
  { alert: 'KuikRegistryThrottled', sentence: 'is quiet after one refusal', seen: { [refused]: '0 0 0 1x60' }, at: '20m' },
  { alert: 'KuikRegistryThrottled', sentence: 'is quiet after one refusal for ten minutes', seen: { [refused]: '0 0 0 1x60', [askedToWait('a')]: '0 0 0 600-60x10 0x60' }, at: '18m' },

  { alert: 'KuikDeletionBlocked', sentence: 'fires after a day', seen: { [ours('retention_blocked_deletions', 'registry="mirror.example.com",reason="shared-digest"')]: '4x2000' }, at: '25h', fires: [{ severity: 'warning', labels: { registry: 'mirror.example.com', reason: 'shared-digest' }, description: 'For a day 4 copies in mirror.example.com could not be deleted: shared-digest.' }] },
  { alert: 'KuikDeletionBlocked', sentence: 'goes on when it takes minutes until another manager leads', seen: { [ours('retention_blocked_deletions', 'pod="a",registry="mirror.example.com",reason="shared-digest"')]: '4x700 stale', [ours('retention_blocked_deletions', 'pod="b",registry="mirror.example.com",reason="shared-digest"')]: '_x720 4x1000' }, at: '25h', fires: [{ severity: 'warning', labels: { registry: 'mirror.example.com', reason: 'shared-digest' }, description: 'For a day 4 copies in mirror.example.com could not be deleted: shared-digest.' }] },
  { alert: 'KuikDeletionBlocked', sentence: 'is quiet once they are deleted', seen: { [ours('retention_blocked_deletions', 'registry="mirror.example.com",reason="shared-digest"')]: '4x1430 0x200' }, at: '25h' },
  { alert: 'KuikDeletionBlocked', sentence: 'is quiet about what people pinned, and what Pods use', seen: Object.fromEntries(['pinned', 'in-use', 'claimed', 'budget'].map((reason) => [ours('retention_blocked_deletions', `registry="mirror.example.com",reason="${reason}"`), '4x2000'])), at: '25h' },

  { alert: 'KuikTemporalUnpolled', sentence: 'fires when the manager has no poller', seen: { [ours('manager_up')]: '1x30', [pollers]: '0x30' }, at: '12m', fires: [{ severity: 'warning', description: unpolled }] },
  { alert: 'KuikTemporalUnpolled', sentence: 'fires when the manager never came to poll', seen: { [ours('manager_up')]: '1x30' }, at: '12m', fires: [{ severity: 'warning', description: unpolled }] },
  { alert: 'KuikTemporalUnpolled', sentence: 'fires when the server is away', seen: { [ours('manager_up')]: '1x30', [pollers]: '2x30', [ours('temporal_connected')]: '0x30' }, at: '12m', fires: [{ severity: 'warning', description: unpolled }] },
  { alert: 'KuikTemporalUnpolled', sentence: 'fires when there is no manager', seen: { 'up{job="other"}': '1x30' }, at: '12m', fires: [{ severity: 'warning', labels: 'absent', description: unpolled }] },
  { alert: 'KuikTemporalUnpolled', sentence: 'fires when nobody polls for workflows, whoever polls for activities', seen: { [ours('manager_up')]: '1x30', [pollers]: '0x30', [activityPollers('kuik-cluster.west')]: '2x30' }, at: '12m', fires: [{ severity: 'warning', description: unpolled }] },
  { alert: 'KuikTemporalUnpolled', sentence: 'fires when others run the workflows and nobody polls for activities', seen: { [ours('manager_up')]: '1x30', [activityPollers('kuik-cluster.west')]: '0x30', [activityPollers('kuik-registry.west')]: '0x30' }, at: '12m', fires: [{ severity: 'warning', description: unpolled }] },
  { alert: 'KuikTemporalUnpolled', sentence: 'is quiet where others run the workflows, and while long copies take every place', seen: { [ours('manager_up')]: '1x30', [activityPollers('kuik-cluster.west')]: '2x30', [activityPollers('kuik-registry.west')]: '0x30' }, at: '12m' },
  { alert: 'KuikTemporalUnpolled', sentence: 'is quiet while one of two managers polls', seen: { [ours('manager_up', 'pod="a"')]: '1x30', [ours('manager_up', 'pod="b"')]: '1x30', [pollers]: '2x30', [ours('temporal_connected', 'pod="a"')]: '1x30' }, at: '12m' },

  { alert: 'KuikWorkflowBroken', sentence: 'fires at the first history that the code does not fit', seen: { [failedSteps('NonDeterminismError')]: '_x5 1x60' }, at: '7m', fires: [{ severity: 'critical', description: broken }] },
  { alert: 'KuikWorkflowBroken', sentence: 'fires when steps fail again and again', seen: { [failedSteps('WorkflowError')]: '0+1x60' }, at: '10m', fires: [{ severity: 'critical', description: broken }] },
  { alert: 'KuikWorkflowBroken', sentence: 'is quiet about one step that failed, and about what is long over', seen: { [failedSteps('WorkflowError')]: '0 0 1x200', [failedSteps('NonDeterminismError')]: '1x200' }, at: '60m' },
];
