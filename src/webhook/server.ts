import { fastify, type FastifyInstance } from 'fastify';
import { parseDuration } from '../domain/duration.js';
import type { Log } from '../telemetry/log.js';
import type { Admitted, Outcome } from './admission.js';
import { admissionPath } from './configuration.js';
import type { KeyPair } from './x509.js';

/** A Pod has at most 1.5 MiB in etcd, and an update carries two. */
const mostBytes = 8 * 1024 * 1024;
/** Above the 90 s after which an API server drops an idle connection: else it may send into one we are closing. */
const keepAliveMs = 120_000;
/** An API server waits this long for a review at most. */
const longestReviewMs = 30_000;

export interface ServerDeps {
  /** undefined when the review has no readable `uid` */
  readonly answer: (body: unknown, timeoutMs: number | undefined) => Promise<Admitted | undefined>;
  readonly observe: { reviewed(outcome: Outcome, seconds: number): void };
  readonly log: Log;
  /** milliseconds that connections have to end after the last review when the server closes; 30,000 unless told */
  readonly lingerMs?: number;
  /** `-enable-http2` */
  readonly http2?: boolean;
}

export interface AdmissionServer {
  /** Takes a certificate into use; connections stay open. The server listens once it has one. */
  serve(certificate: KeyPair): void;
  /** @returns the port; rejects when there was no certificate yet, or the address is taken */
  listen(address: { readonly host?: string; readonly port: number }): Promise<number>;
  /** Goes on answering, and has clients end each connection after its answer: the next one is to go elsewhere. */
  drain(): void;
  /** Answers what has arrived, and closes. */
  close(): Promise<void>;
  readonly app: FastifyInstance;
}

/** Makes the admission server around a first certificate. It says no to nobody: only a review nobody can answer gets status 400. */
export function createAdmissionServer(deps: ServerDeps, first: KeyPair): AdmissionServer {
  const app = makeApp(deps, first);
  readAnyBodyAsJson(app);
  let isDraining = false;

  app.addHook('onSend', async (request, reply) => {
    // HTTP/2 has no such header; its connections end when the server closes
    if (isDraining && request.raw.httpVersionMajor === 1) reply.header('connection', 'close');
  });
  app.post<{ Querystring: { timeout?: unknown } }>(admissionPath, async (request, reply) => {
    const started = performance.now();
    const admitted = await deps.answer(request.body, timeoutIn(request.query.timeout));
    if (admitted === undefined) return reply.code(400).send({ error: 'not an AdmissionReview: request.uid is missing' });
    deps.observe.reviewed(admitted.outcome, (performance.now() - started) / 1000);
    return admitted.answer;
  });
  app.setErrorHandler((error, _request, reply) => {
    deps.log.warn({ err: error }, 'a request that is no AdmissionReview');
    void reply.code(400).send({ error: 'not an AdmissionReview' });
  });

  return {
    app,
    serve: ({ certificate, privateKey }) => secureServer(app).setSecureContext({ cert: certificate, key: privateKey }),
    listen: async ({ host, port }) => {
      await listenOn(app, host, port);
      const address = app.server.address();
      return typeof address === 'object' && address !== null ? address.port : port;
    },
    drain: () => void (isDraining = true),
    close: () => closeIn(app, deps.lingerMs ?? longestReviewMs),
  };
}

/** A connection that has never carried a review counts as busy, for up to 90 s: longer than a Pod is given to end. */
async function closeIn(app: FastifyInstance, lingerMs: number): Promise<void> {
  const server: { closeAllConnections?: () => void } = app.server;
  const end = setTimeout(() => server.closeAllConnections?.(), lingerMs).unref();
  await app.close().finally(() => clearTimeout(end));
}

function makeApp({ http2 = false }: ServerDeps, { certificate, privateKey }: KeyPair): FastifyInstance {
  const options = {
    bodyLimit: mostBytes,
    keepAliveTimeout: keepAliveMs,
    forceCloseConnections: 'idle' as const,
    // a connection that is kept alive must get its answer, not a 503, while we close
    return503OnClosing: false,
    logger: false as const,
  };
  const tls = { cert: certificate, key: privateKey, minVersion: 'TLSv1.2' as const };
  // fastify has a type per transport; what we use is common to all
  const app: unknown = http2 ? fastify({ ...options, http2: true, https: { ...tls, allowHTTP1: true } }) : fastify({ ...options, https: tls });
  return app as FastifyInstance;
}

/** One JSON.parse, whatever the content type says. Keys such as `__proto__` are legal in annotations, and only own properties are ever read. */
function readAnyBodyAsJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, JSON.parse(body as string));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** Everywhere, unless told otherwise: both families, or the older one where the kernel lacks the other. */
async function listenOn(app: FastifyInstance, host: string | undefined, port: number): Promise<void> {
  try {
    await app.listen({ host: host ?? '::', port });
  } catch (error) {
    const lacksFamily = error instanceof Error && 'code' in error && (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL');
    if (host !== undefined || !lacksFamily) throw error;
    await app.listen({ host: '0.0.0.0', port });
  }
}

/** The API server sends `3s`. */
function timeoutIn(query: unknown): number | undefined {
  const ms = typeof query === 'string' ? parseDuration(query) : undefined;
  return ms !== undefined && ms > 0 ? ms : undefined;
}

function secureServer(app: FastifyInstance): { setSecureContext(options: { cert: string; key: string }): void } {
  const server: unknown = app.server;
  return server as ReturnType<typeof secureServer>;
}
