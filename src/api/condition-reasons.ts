/**
 * Why a condition of a user kind is as it is: the closed list, with the sentence of the reference page. Failure
 * codes have reasons of their own in `domain/failure`.
 */
export const conditionReasons = {
  InForce: 'The rule is valid and works.',
  Suspended: 'The rule is valid and rests, because `spec.suspend` is true.',
  InvalidFilter: 'A pattern or selector cannot be read, so the rule is out of force; what it copied stays. The message names the field.',
  InvalidSpec: 'A field cannot be read. The message names the field, what is out of force until it is put right, and what to write.',
  InvalidUpstream: 'An upstream cannot be read and is left out; the others work. The message names the field.',
  Pending: 'Work has begun and is not done: the first look at a change, or copies that are still to be made.',
  TemporalUnavailable: 'Temporal cannot be reached, so copies and deletions wait. Pods are created and routed all the same.',
  CredentialMissing: 'A Secret that the rule names does not exist. Create it, or remove the reference.',
  CredentialUnusable: 'A Secret that the rule names is not of type kubernetes.io/dockerconfigjson or kubernetes.io/dockercfg, cannot be decoded, or may not be read by kuik.',
  Accepted: 'Every Secret that the rule names can be read.',
  PushCredentialShared: 'Every Secret can be read, but Pods pull with the credential that pushes. Give them one of their own in `pullSecret`.',
  InSync: 'Every wanted image has its copy.',
  CopiesFailing: 'The last attempt to make some copy failed. `kubectl get ia` shows which, and why.',
  Complete: 'No wanted platform is missing.',
  PlatformsMissing: 'Some image does not exist for a wanted platform. It is copied without.',
  Unique: 'No two images share a destination.',
  Collision: 'Two images want the same destination, and one of them is not copied. `layout: host` keeps them apart.',
  Reachable: 'No registry on that side is known to fail.',
  Unmoved: 'Nothing moved behind our back, as far as the last looks saw.',
  TagDrifted: 'The tag of an origin names other content than was copied. `drift: sync` follows it; with `drift: warn` it is said here.',
  DestinationChanged: 'A destination holds content that kuik did not write. It is neither overwritten nor deleted; `kuik retry` writes the copy again.',
  NothingBlocked: 'No deletion is blocked.',
  DeletionBlocked: 'A copy that nobody uses could not be deleted. It is tried again daily; `kubectl get ia -o yaml` has the reason.',
  NotConnected: 'A mirror says `shared: true`, but `temporal.shared` is not true: the claims of the other clusters are not known, so nothing is deleted there.',
  Usable: 'Every upstream can be used.',
  AllAvailable: 'Every tracked image that was checked can be pulled.',
  ImagesUnavailable: 'Some tracked image cannot be pulled. The list has it first.',
} as const satisfies Record<string, string>;

export type ConditionReason = keyof typeof conditionReasons;
