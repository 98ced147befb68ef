/** Random days in the life of several clusters. */
import type { ImageName } from '../../../src/domain/image-ref.js';
import type { Chance } from '../chance.js';
import { days, hours, minutes } from '../keeper.js';
import { nameOf, type ModelCluster, type RuleFacts } from './cluster.js';
import { RunningDeletion } from './deletion.js';
import { copyOf, destinationOf, Model } from './model.js';

export const images: readonly ImageName[] = ['app-a:1', 'app-b:1', 'app-c:1'].map(nameOf);

const retentions = [0, 1 * hours, 3 * days, 10 * days];

export function aRuleBy(chance: Chance): RuleFacts {
  return {
    selects: pick(chance, [/.*/, /.*/, /.*app-[ab].*/]),
    isSuspended: chance.next() < 0.1,
    cleanup: chance.next() < 0.8,
    retentionMs: pick(chance, retentions),
  };
}

/** A model whose clusters have begun to work. */
export function aModel(chance: Chance): Model {
  const model = new Model(chance, ['berlin', 'paris', 'rome'].slice(0, chance.between(1, 3)));
  model.limits = { maxDeletionsPerHour: pick(chance, [60, 1]), dailyBudgetPercent: 5 };
  for (const cluster of model.clusters) {
    cluster.change(aRuleBy(chance));
    beatFor(model, cluster);
  }
  return model;
}

/** A pass now and then, as long as the history lasts. */
function beatFor(model: Model, cluster: ModelCluster): void {
  model.agenda.in(model.chance.between(8, 11) * hours, () => {
    cluster.beat();
    beatFor(model, cluster);
  });
}

type Happening = (model: Model, cluster: ModelCluster, image: ImageName, chance: Chance) => void;

const skews = [-1 * hours, -5 * minutes, 0, 0, 5 * minutes, 1 * hours];
const pinnedFor = [2 * hours, 5 * days, Infinity];
let podNumber = 0;

const happenings: readonly (readonly [weight: number, Happening])[] = [
  [8, (_model, cluster, image, chance) => cluster.createPod(`pod-${(podNumber += 1)}`, image, cluster.hasCopy(image) && chance.next() < 0.5 ? copyOf(image) : image)],
  // somebody names the copy itself, whether this cluster knows of it or not
  [1, (_model, cluster, image) => cluster.createPod(`pod-${(podNumber += 1)}`, copyOf(image), copyOf(image))],
  [10, (_model, cluster, _image, chance) => dropPods(cluster, chance)],
  [2, (_model, cluster, _image, chance) => cluster.change(chance.next() < 0.15 ? undefined : aRuleBy(chance))],
  [0.5, (model, cluster, _image, chance) => purge(model, cluster, chance)],
  [2, (_model, cluster, image, chance) => (chance.next() < 0.6 ? cluster.pin(image, pick(chance, pinnedFor)) : cluster.unpin(image))],
  [2, (_model, cluster) => (cluster.isAlive ? cluster.fallSilent() : cluster.comeBack())],
  [1, (_model, cluster) => (cluster.fallSilent(), cluster.comeBack())], // a manager starts again
  [1, (_model, cluster, image) => ([...cluster.pods.values()].some(({ asked }) => asked === copyOf(image)) ? undefined : cluster.deleteRecord(image))],
  [1, (_model, cluster, _image, chance) => void (cluster.skewMs = pick(chance, skews))],
  [1, (model, _cluster, _image, chance) => void (model.skewMs = pick(chance, skews))],
  [1, (model, _cluster, image) => model.loseKeeper(destinationOf(image))],
  [1, (model, _cluster, _image, chance) => (model.deletions.length > 0 ? model.deleteByHand(pick(chance, model.deletions)) : undefined)],
  [2, (model, _cluster, image, chance) => model.press(destinationOf(image), pick(chance, ['pause', 'resume', 'resume', 'retry', 'resync']))],
  [0.7, (model, cluster) => model.forget(cluster)],
  [1.5, (model) => model.backUp()],
  [0.7, (model, _cluster, _image, chance) => model.loseDatabase(chance.next() < 0.7 ? 'backup' : 'nothing')],
  [0.5, (model, _cluster, image) => void model.tags.delete(destinationOf(image))],
];
const totalWeight = happenings.reduce((sum, [weight]) => sum + weight, 0);

/** Its rule is deleted with all it copied; it is held meanwhile, then it is gone. */
function purge({ agenda }: Model, cluster: ModelCluster, chance: Chance): void {
  if (cluster.rule === undefined) return;
  const leaving = { ...cluster.rule, isPurged: true };
  cluster.change(leaving);
  agenda.in(chance.between(10, 90) * minutes, () => {
    if (cluster.rule === leaving) cluster.change(undefined);
  });
}

function dropPods(cluster: ModelCluster, chance: Chance): void {
  for (const name of [...cluster.pods.keys()]) if (chance.next() < 0.5) cluster.deletePod(name);
}

/** One thing happens somewhere. */
export function happen(model: Model): void {
  const { chance } = model;
  let draw = chance.next() * totalWeight;
  const happening = happenings.find(([weight]) => (draw -= weight) < 0) ?? happenings[0]!;
  happening[1](model, pick(chance, model.clusters), pick(chance, images), chance);
}

/** Seconds, hours or days: each matters to something. While a copy is about to go, mostly minutes. */
export function aWhile({ chance, tasks }: Model): number {
  const isAboutToGo = [...tasks.values()].some((task) => task instanceof RunningDeletion);
  const pauses = isAboutToGo && chance.next() < 0.8 ? [5_000, 1 * minutes, 4 * minutes] : [30_000, 10 * minutes, 1 * hours, 12 * hours, 2 * days, 5 * days];
  return pick(chance, pauses) * (0.5 + chance.next());
}

/** Everybody is well again, clocks are right, and what rules say is plain. */
export function heal(model: Model, rule: RuleFacts): void {
  model.skewMs = 0;
  for (const cluster of model.clusters) {
    cluster.skewMs = 0;
    if (!cluster.isAlive) cluster.comeBack();
    for (const image of images) cluster.unpin(image);
    cluster.change(rule);
  }
  for (const image of images) model.press(destinationOf(image), 'resume');
}

export function pick<T>(chance: Chance, from: readonly T[]): T {
  return from[chance.between(0, from.length - 1)] as T;
}
