/** Who tells what happened to the copies of images: Temporal knows all of it, records and Events the last of it. */
import type { KubernetesCluster } from '../../cluster/kubernetes/client.js';
import type { Environment } from '../../config/environment.js';
import { Failure } from '../../domain/failure.js';
import type { PlaceId } from '../../domain/image-ref.js';
import { mirrorsOf } from '../../domain/image-standing.js';
import type { ImageRecord } from '../../domain/record.js';
import { openHistories, type Histories } from '../../temporal/histories.js';
import type { ImageStoryList } from '../documents/logs.js';
import { eventsOfRecord } from '../events.js';
import { reachTemporal } from '../temporal-way.js';
import { linesOfRecord } from './told.js';

export type Story = ImageStoryList['items'][number];

export interface Teller {
  /** @throws Failure side `cluster`: whoever knows does not answer, or refuses */
  tell(records: readonly ImageRecord[]): Promise<readonly Story[]>;
}

interface Way {
  readonly histories: Histories;
  readonly close: () => Promise<void>;
}

type Asked = Pick<KubernetesCluster, 'configMap' | 'objects' | 'forward'>;

/** Looks for its way anew after it was lost: the Pod of Temporal may be another by then. */
export class TellerOfHistories implements Teller {
  readonly #cluster: Asked;
  readonly #environment: Pick<Environment, 'installNamespace' | 'fullName'>;
  readonly #runs: number;
  #open: Way | undefined;

  /** @param runs how many of the last copies and deletions are told */
  constructor(cluster: Asked, environment: Pick<Environment, 'installNamespace' | 'fullName'>, runs: number) {
    this.#cluster = cluster;
    this.#environment = environment;
    this.#runs = runs;
  }

  async tell(records: readonly ImageRecord[]): Promise<readonly Story[]> {
    this.#open ??= await this.#reach();
    const { histories } = this.#open;
    try {
      return (await Promise.all(records.map((record) => this.#storiesOf(record, histories)))).flat();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.close();
  }

  #storiesOf(record: ImageRecord, histories: Histories): Promise<readonly Story[]> {
    return Promise.all(mirrorsOf(record).map(async ({ reference }) => ({ image: record.image, destination: reference, source: 'temporal' as const, lines: [...(await histories.story(reference as string as PlaceId, this.#runs))] })));
  }

  async #reach(): Promise<Way> {
    const way = await reachTemporal(this.#cluster, this.#environment, 'grpc');
    if (typeof way === 'string') throw new Failure({ code: 'unreachable', side: 'cluster', message: way });
    try {
      const histories = await openHistories({ address: `127.0.0.1:${way.port}`, namespace: way.namespace });
      return {
        histories,
        close: async () => {
          await histories.close();
          await way.close();
        },
      };
    } catch (error) {
      await way.close();
      throw error;
    }
  }
}

export function tellerOfRecords(cluster: Pick<KubernetesCluster, 'objects' | 'record'>): Teller {
  const storiesOf = async ({ image, name }: ImageRecord): Promise<readonly Story[]> => {
    const [record, events] = await Promise.all([cluster.record(image), eventsOfRecord(name, cluster)]);
    return (record === undefined ? [] : mirrorsOf(record)).map((place) => ({ image, destination: place.reference, source: 'record' as const, lines: [...linesOfRecord(record ?? {}, place, events)] }));
  };
  return { tell: async (records) => (await Promise.all(records.map(storiesOf))).flat() };
}
