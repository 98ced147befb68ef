/** `temporal` in the chart's values: where it comes from, and what of it the chart runs. */
import { z } from 'zod';
import { flag, text, whole } from '../value-types.js';
import { env, image, passedList, pod, replicas, resources, storage } from './parts.js';

const external = z
  .strictObject({
    address: text('Where the frontend answers, host:port. Needed with `mode: external`.').default(''),
    tls: z
      .strictObject({
        secretName: text('Secret of the install namespace with the files below; its presence turns TLS on.').default(''),
        files: z.array(z.enum(['ca.crt', 'tls.crt', 'tls.key'])).meta({ description: 'Which of its keys there are.' }).default(['ca.crt']),
        serverName: text('The name the certificate of the frontend is for. Default: that of `address`.').default(''),
      })
      .prefault({}),
    apiKey: z
      .strictObject({
        secretName: text('Secret of the install namespace with an API key; its presence turns TLS on.').default(''),
        key: text('Key in that Secret.').default('api-key'),
      })
      .prefault({}),
  })
  .prefault({});

const database = z
  .strictObject({
    host: text('A PostgreSQL (12 or newer) of your own. Empty: the chart runs one.').default(''),
    port: whole('Its port.', 1, 65_535).default(5432),
    user: text('Who owns both databases.').default('temporal'),
    existingSecret: text('Secret with the password. Empty: the manager makes one where there is none.').default(''),
    passwordKey: text('Key in that Secret.').default('password'),
    name: text('Database of the histories.').default('temporal'),
    visibilityName: text('Database of the search.').default('temporal_visibility'),
    create: flag('Whether the databases are created; otherwise they have to be there, with the extension btree_gin.').default(true),
    tls: z
      .strictObject({
        enabled: flag('Whether the database is spoken to over TLS.').default(false),
        caSecret: text('Secret whose `ca.crt` is the authority of its certificate. Empty: the certificate is not checked.').default(''),
        serverName: text('The name its certificate is for.').default(''),
      })
      .prefault({}),
  })
  .prefault({});

/** Whoever logs in is known, so that write actions stay on. */
const oidc = z
  .strictObject({
    providerUrl: text('An OpenID provider; its presence makes people log in.').default(''),
    issuerUrl: text('Its issuer, where that is another URL.').default(''),
    clientId: text('Of the client registered there.').default(''),
    existingSecret: text('Secret of the install namespace with the secret of that client.').default(''),
    secretKey: text('Key in that Secret.').default('client-secret'),
    callbackUrl: text('Where people come back to: https://HOST/auth/sso/callback, as registered at the provider.').default(''),
    scopes: text('Separated by commas.').default('openid,profile,email'),
  })
  .prefault({});

export const temporalValues = z
  .strictObject({
    mode: z
      .enum(['bundled', 'demo', 'external'])
      .meta({ description: '`bundled`: a server, PostgreSQL and the UI, in this namespace. `demo`: a development server on SQLite. `external`: yours.' })
      .default('bundled'),
    namespace: text('The Temporal namespace of this cluster, or of all clusters that share registries.').default('kuik'),
    shared: flag('Whether several clusters use this Temporal namespace.').default(false),
    servesWorkflows: flag('Whether the managers of this cluster run workflows. With `shared`, others can run them instead: UPGRADING.md.').default(true),
    external,
    server: z.strictObject({ replicas: replicas(1), image: image('docker.io/temporalio/server', '1.31.0'), env, resources: resources('100m', '512Mi', '1Gi'), ...pod }).prefault({}),
    schema: z.strictObject({ image: image('docker.io/temporalio/admin-tools', '1.31.0') }).prefault({}),
    ui: z
      .strictObject({
        enabled: flag('Whether the UI of Temporal runs.').default(true),
        image: image('docker.io/temporalio/ui', '2.49.1'),
        allowFrom: passedList('Peers of a NetworkPolicy that reach the UI. Empty: nobody but a port-forward. With peers, write actions are off, unless people log in (`oidc`).').default([]),
        oidc,
        env,
        resources: resources('20m', '64Mi', '128Mi'),
        ...pod,
      })
      .prefault({}),
    database,
    postgresql: z.strictObject({ image: image('docker.io/library/postgres', '17'), storage: storage('8Gi'), resources: resources('100m', '256Mi', '512Mi'), ...pod }).prefault({}),
    demo: z.strictObject({ image: image('docker.io/temporalio/admin-tools', '1.31.0'), storage: storage('1Gi'), resources: resources('100m', '256Mi', '512Mi'), ...pod }).prefault({}),
  })
  .prefault({});
