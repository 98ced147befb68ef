/** Values of v1 and of v2 before 2.3, by their path, and what to write instead: an installation that still has one stops, and says so. */
export const renamedValues: Readonly<Record<string, string>> = {
  cachedImagesExpiryDelay: 'configuration.retention.default (in hours: 30 days are 720h)',
  architectures: 'configuration.mirroring.platforms',
  insecureRegistries: 'configuration.registries.items.<host>.plainHTTP or .insecureSkipVerify',
  rootCertificateAuthorities: 'configuration.registries.items.<host>.caFile, with manager.extraVolumes',
  controllers: 'manager and webhook',
  proxy: 'nothing: there is no proxy any more, and configuration.migration.v1ProxyPort reads the names it wrote',
  registry: 'nothing: images are copied to a registry of yours, which a ClusterImageSetMirror names',
  registryUI: 'nothing: your registry has its own; that of Temporal is temporal.ui',
  minio: 'nothing: images are copied to a registry of yours, which a ClusterImageSetMirror names',
  psp: 'nothing: Pods keep to the restricted profile of Pod security',
  installCRD: 'nothing: the definitions are in the folder crds of the chart, and --skip-crds leaves them out',
  unusedImageTTL: 'spec.unusedImageExpiry of a ClusterImageSetAvailability',
  'metrics.imageLastMonitorAgeMinutesBuckets': 'configuration.metrics.imageLastMonitorAgeMinutes.legacy',
  registryMonitors: 'configuration.monitoring.registries',
};
