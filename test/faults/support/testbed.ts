import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Server,
  findPrograms,
  postgresPrograms,
  preparePostgres,
  prepareRedis,
  redisPrograms,
} from '../../../scripts/servers.mjs';
import { Api, type Body } from '../../support/api.js';
import { freePort } from '../../support/free-port.js';
import { Installation } from '../../support/installation.js';
import { Relay } from '../../support/relay.js';
import {
  PROVIDER_SID,
  providerAuthorization,
  dialingEnvironment,
  providerEnvironment,
} from '../../support/provider-environment.js';
import type { Campaign } from './campaign.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { waitUntil } from './retry.js';
import { Instance } from './instance.js';

/** How fast the provider's people live: a call takes about a second, so that things break in the middle of it. */
const SIMULATOR_SPEED = '40';

/**
 * Everything is impatient here, so that what waits for a time limit does not wait long. The provider may be slow all the same, while others
 * crowd the machine: it has taken calls eight seconds after they were asked for, which nobody could have known who had given them up by then.
 */
const SHORT_TIMEOUTS = {
  LOG_LEVEL: 'warn',
  CALLS_PER_SECOND: '100',
  FETCHES_PER_SECOND: '200',
  RECONCILE_AFTER: '2',
  UNCERTAIN_FOR: '15',
  PROVIDER_TIMEOUT: '2',
};

/** The servers of a cluster, which can be stopped and started. */
interface Servers {
  postgres: Server;
  redis: Server;
  /** Between our processes and Redis. */
  redisProxy: TcpProxy;
  folder: string;
}

interface EmbeddedOptions {
  folder?: string;
  environment?: Record<string, string>;
}

/** A call as the provider lists it. */
type ProviderCall = Record<'sid' | 'to' | 'status' | 'date_created', string>;

/** All there is to break: our processes behind a load balancer, what they stand on, and a provider behind a gate. */
export class Testbed {
  /** All that were planned here. */
  readonly campaigns: Campaign[] = [];
  /** The provider tells the same twice: what it tells is not counted any more. */
  duplicatesWebhooks = false;
  /** The database's clock was moved: its times cannot be compared any more. */
  hasClockMoved = false;

  private constructor(
    readonly installation: Installation,
    readonly instances: readonly Instance[],
    /** Reaches our processes in turn, as the outside does. */
    readonly api: Api,
    /** The provider's controls, not through the gate. */
    readonly provider: Api,
    /** Between our processes and the provider. */
    readonly providerProxy: TcpProxy,
    private readonly dispose: () => Promise<void>,
    private readonly cluster?: Servers,
  ) {}

  /**
   * A PostgreSQL and a Redis of its own, and these processes.
   * @param roles of the processes, with more environment if given
   * @param databaseEnvironment of PostgreSQL
   */
  static async cluster(
    roles: readonly (readonly [string, Record<string, string>?])[] = [['all'], ['all']],
    databaseEnvironment: Record<string, string> = {},
  ): Promise<Testbed> {
    const folder = mkdtempSync(join(tmpdir(), 'scfm-faults-'));
    const programs = findPrograms({ ...postgresPrograms, ...redisPrograms });
    const postgres = await preparePostgres(programs, folder, { environment: databaseEnvironment });
    const redis = await prepareRedis(programs, folder);
    await Promise.all([postgres.start(), redis.start()]);
    const redisGate = await TcpProxy.startFor(redis.port);
    const environment = { DATABASE_URL: postgres.url, REDIS_URL: `redis://127.0.0.1:${redisGate.port}` };
    const installation = Installation.of(environment, async () => {
      await redisGate.close();
      await Promise.all([postgres.stop(), redis.stop('SIGKILL')]);
      rmSync(folder, { recursive: true, force: true });
    });
    const environments = roles.map(([SCFM_ROLE, more]) => ({ SCFM_ROLE, ...more }));
    return Testbed.assemble(installation, environments, { postgres, redis, redisProxy: redisGate, folder });
  }

  /** One process on a file; in `folder`, if given, which stays; with more environment if given. */
  static async embedded({ folder, environment = {} }: EmbeddedOptions = {}): Promise<Testbed> {
    const installation = folder
      ? Installation.of({ DATABASE_URL: `sqlite:${join(folder, `${randomUUID()}.sqlite3`)}` }, async () => undefined)
      : await Installation.createEmbedded();
    return Testbed.assemble(installation, [environment]);
  }

  /** @throws Error when this testbed is not a cluster */
  get servers(): Servers {
    if (!this.cluster) throw new Error('This testbed has no servers');
    return this.cluster;
  }

  get webs(): Instance[] {
    return this.instances.filter(({ servesApi }) => servesApi);
  }

  get workers(): Instance[] {
    return this.instances.filter(({ servesApi }) => !servesApi);
  }

  /** Brings back all that is away, and waits until matchAll answers. */
  async restore(): Promise<void> {
    if (this.cluster) {
      const { postgres, redis, redisProxy } = this.cluster;
      await Promise.all([postgres.start(), redis.start(), redisProxy.open()]);
      await waitUntil(() => this.canQuery('SELECT 1'));
    }
    await this.providerProxy.open();
    await this.provider.delete('/simulator/faults');
    await Promise.all(this.instances.map((place) => place.start()));
    for (const { url } of this.instances) {
      await waitUntil(async () => {
        const ready = await new Api(url).get('/health/ready').catch(() => undefined);
        return ready?.status === 200;
      });
    }
  }

  /** Ends matchAll, and leaves nothing behind. */
  async remove(): Promise<void> {
    await this.dispose();
  }

  /** Whether the database runs this statement now. */
  canQuery(statement: string): Promise<boolean> {
    return this.installation.query(statement).then(
      () => true,
      () => false,
    );
  }

  /** A whole number that the database answers. */
  async count(statement: string): Promise<number> {
    const [row] = await this.installation.query<{ count: number }>(statement);
    return Number(row!.count);
  }

  /** The ids of the people whom callouts are for. */
  async contactIdRange(): Promise<{ first: number; last: number }> {
    const [row] = await this.installation.query<{ first: number; last: number }>(
      `SELECT min(id) AS first, max(id) AS last FROM contacts WHERE msisdn LIKE '+85590%'`,
    );
    return { first: Number(row!.first), last: Number(row!.last) };
  }

  /** What goes wrong at the provider from now on. */
  async setFaults(given: { create?: object; callbacks?: { doubled?: number }; account?: number }): Promise<void> {
    this.duplicatesWebhooks ||= given.callbacks?.doubled !== undefined;
    await this.provider.put('/simulator/faults', given);
  }

  /** What the provider has seen. */
  async statistics(): Promise<Body> {
    return (await this.provider.get('/simulator/statistics')).body;
  }

  /** The provider's own list of the calls that it took. */
  async providerCalls(): Promise<ProviderCall[]> {
    const rings: ProviderCall[] = [];
    let page: string | null = `/2010-04-01/Accounts/${PROVIDER_SID}/Calls.json?PageSize=1000`;
    while (page) {
      const { body }: Body = await this.provider.get(`/simulator${page}`, providerAuthorization);
      for (const { sid, to, status, date_created } of body.calls) rings.push({ sid, to, status, date_created });
      page = body.next_page_uri;
    }
    return rings;
  }

  private static async assemble(
    installation: Installation,
    environments: Record<string, string>[],
    servers?: Servers,
  ): Promise<Testbed> {
    const provider = await Installation.createEmbedded();
    const { api: exchange } = await provider.start({
      ...providerEnvironment,
      SIMULATOR_SPEED: SIMULATOR_SPEED,
      LOG_LEVEL: 'error',
    });
    const gate = await TcpProxy.startFor(Number(new URL(exchange.url).port));
    const front = await Relay.start();
    const shared = {
      ...SHORT_TIMEOUTS,
      PUBLIC_URL: front.url,
      ...dialingEnvironment(`http://127.0.0.1:${gate.port}`),
    };
    const places: Instance[] = [];
    for (const environment of environments) {
      places.push(new Instance(installation, await freePort(), { ...shared, ...environment }));
    }
    front.forwardTo(
      places.filter(({ servesApi }) => servesApi).map(({ url }) => url),
      'in turn',
    );
    const dispose = async (): Promise<void> => {
      await provider.remove();
      await gate.close();
      await front.stop();
      await installation.remove();
    };
    const testbed = new Testbed(installation, places, new Api(front.url), exchange, gate, dispose, servers);
    await testbed.restore();
    return testbed;
  }
}
