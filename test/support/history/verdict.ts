import type { ImageName } from '../../../src/domain/image-ref.js';
import { chanceOf } from '../chance.js';
import { days, hours } from '../keeper.js';
import { contentOf, destinationOf, type Model } from './model.js';
import { aModel, aWhile, happen, heal, images } from './play.js';

const lasting = { selects: /.*/, isSuspended: false, cleanup: true, retentionMs: 1 * hours };

/**
 * Plays one history and judges it.
 *
 * @returns what went wrong, in words; nothing when all is well
 */
export function verdictOn(seed: string, steps: number): readonly string[] {
  const model = aModel(chanceOf(seed));
  for (let step = 0; step < steps; step++) {
    happen(model);
    model.agenda.pass(aWhile(model));
  }
  heal(model, lasting);
  const wrong = [...wantedInVain(model), ...keptInVain(model)];
  return [...model.violations, ...wrong].map((what) => `history ${seed}: ${what}`);
}

/** Nobody uses anything any more: each copy goes. */
function keptInVain(model: Model): string[] {
  for (const cluster of model.clusters) for (const name of [...cluster.pods.keys()]) cluster.deletePod(name);
  model.agenda.pass(20 * days);
  return images.filter((image) => model.tags.has(destinationOf(image))).map((image) => `the copy of ${image} is still there: ${keeperText(model, image)}`);
}

function keeperText(model: Model, image: ImageName): string {
  const state = model.keepers.get(destinationOf(image))?.state;
  return state === undefined ? 'nobody keeps it' : JSON.stringify({ claims: state.claims.map(({ cluster, releasedAt, expiresAt }) => ({ cluster, releasedAt, expiresAt })), blocked: state.blocked, running: state.running });
}

/** Everybody uses everything: each copy is there, and each cluster is known to want it. */
function wantedInVain(model: Model): string[] {
  for (const cluster of model.clusters) for (const image of images) cluster.createPod(`last-${image}`, image, image);
  model.agenda.pass(5 * days);

  return images.flatMap((image) => {
    const destination = destinationOf(image);
    const claims = model.keepers.get(destination)?.state.claims ?? [];
    const live = claims.filter(({ releasedAt, expiresAt }) => releasedAt === undefined && expiresAt > model.agenda.now).map(({ cluster }) => cluster);
    const unknown = model.clusters.filter(({ name }) => !live.includes(name)).map(({ name }) => `the claim of ${name} on ${destination} is not known`);
    return [...unknown, ...(model.tags.get(destination) === contentOf(image) ? [] : [`no copy at ${destination}`])];
  });
}
