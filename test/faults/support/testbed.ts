import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPrograms, postgresPrograms, redisPrograms } from '../../../scripts/programs.mjs';
import { type Server, preparePostgres, prepareRedis } from '../../../scripts/servers.mjs';
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
import type { SelfRunningCallout } from './self-running-callout.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { waitUntil } from './retry.js';
import { Instance } from './instance.js';

/** The settings of the provider. A simulated call takes about a second, so that faults happen during calls. */
const PROVIDER_SETTINGS = { SIMULATOR_SPEED: '40', LOG_LEVEL: 'error' };

/**
 * Settings that keep waits short. `UNCERTAIN_FOR` must exceed the delay of an overloaded provider, which has accepted
 * calls up to eight seconds after the request.
 */
const SHORT_TIMEOUTS = {
  LOG_LEVEL: 'warn',
  CALLS_PER_SECOND: '100',
  FETCHES_PER_SECOND: '200',
  RECONCILE_AFTER: '2',
  UNCERTAIN_FOR: '15',
  PROVIDER_TIMEOUT: '2',
};

/** The servers of a cluster, which tests stop and start. */
interface Servers {
  postgres: Server;
  redis: Server;
  /** Between the program and Redis. */
  redisProxy: TcpProxy;
  /** The folder of the servers' data. */
  folder: string;
}

interface EmbeddedOptions {
  /** The folder of the SQLite file, which is kept. The default is a temporary one. */
  folder?: string;
  /** Further settings of the program. */
  environment?: Record<string, string>;
  /** Further settings of the provider. */
  providerSettings?: Record<string, string>;
}

/** A call as the provider lists it. */
type ProviderCall = Record<'sid' | 'to' | 'status' | 'date_created', string> & { start_time: string | null };

/**
 * An installation whose parts can fail: instances of the program behind a load balancer, their database and Redis, and
 * a provider behind a TCP proxy.
 */
export class Testbed {
  /** All campaigns that were created on this testbed. */
  readonly campaigns: Campaign[] = [];
  /** All callouts with a dial plan that were started on this testbed. */
  readonly selfRunning: SelfRunningCallout[] = [];
  /** Whether the provider has repeated webhooks. Their number is then not checked. */
  duplicatesWebhooks = false;
  /** Whether the database's clock was moved. Its timestamps are then not compared. */
  hasClockMoved = false;

  private constructor(
    readonly installation: Installation,
    readonly instances: readonly Instance[],
    /** A client of the load balancer. */
    readonly api: Api,
    /** A client of the provider's simulator, which bypasses the proxy. */
    readonly provider: Api,
    /** Between the program and the provider. */
    readonly providerProxy: TcpProxy,
    private readonly dispose: () => Promise<void>,
    private readonly cluster?: Servers,
  ) {}

  /**
   * Creates a testbed with its own PostgreSQL and Redis.
   *
   * @param roles the `SCFM_ROLE` of each instance, and its further settings
   * @param databaseEnvironment the environment of PostgreSQL
   * @param providerSettings further settings of the provider
   */
  static async cluster(
    roles: readonly (readonly [string, Record<string, string>?])[] = [['all'], ['all']],
    databaseEnvironment: Record<string, string> = {},
    providerSettings: Record<string, string> = {},
  ): Promise<Testbed> {
    const folder = mkdtempSync(join(tmpdir(), 'scfm-faults-'));
    const programs = findPrograms({ ...postgresPrograms, ...redisPrograms });
    const postgres = await preparePostgres(programs, folder, { environment: databaseEnvironment });
    const redis = await prepareRedis(programs, folder);
    await Promise.all([postgres.start(), redis.start()]);
    const redisProxy = await TcpProxy.startFor(redis.port);
    const environment = { DATABASE_URL: postgres.url, REDIS_URL: `redis://127.0.0.1:${redisProxy.port}` };
    const installation = Installation.of(environment, async () => {
      await redisProxy.close();
      await Promise.all([postgres.stop(), redis.stop('SIGKILL')]);
      rmSync(folder, { recursive: true, force: true });
    });
    const environments = roles.map(([SCFM_ROLE, more]) => ({ SCFM_ROLE, ...more }));
    const servers = { postgres, redis, redisProxy, folder };
    return Testbed.assemble(installation, environments, { providerSettings, servers });
  }

  /** Creates a testbed with one instance on a SQLite file. */
  static async embedded({ folder, environment = {}, providerSettings }: EmbeddedOptions = {}): Promise<Testbed> {
    const installation = folder
      ? Installation.of({ DATABASE_URL: `sqlite:${join(folder, `${randomUUID()}.sqlite3`)}` }, async () => undefined)
      : await Installation.createEmbedded();
    return Testbed.assemble(installation, [environment], { providerSettings });
  }

  /** @throws Error when this testbed is not a cluster */
  get servers(): Servers {
    if (!this.cluster) throw new Error('This testbed has no servers');
    return this.cluster;
  }

  /** The instances that serve the API. */
  get webs(): Instance[] {
    return this.instances.filter(({ servesApi }) => servesApi);
  }

  /** The instances that only do background work. */
  get workers(): Instance[] {
    return this.instances.filter(({ servesApi }) => !servesApi);
  }

  /** Starts what is stopped, ends all faults, and waits until every instance is ready. */
  async restore(): Promise<void> {
    if (this.cluster) {
      const { postgres, redis, redisProxy } = this.cluster;
      await Promise.all([postgres.start(), redis.start(), redisProxy.open()]);
      await waitUntil(() => this.canQuery('SELECT 1'));
    }
    await this.providerProxy.open();
    await this.provider.delete('/simulator/faults');
    await Promise.all(this.instances.map((instance) => instance.start()));
    for (const { url } of this.instances) {
      await waitUntil(async () => {
        const ready = await new Api(url).get('/health/ready').catch(() => undefined);
        return ready?.status === 200;
      });
    }
  }

  /** Stops all processes, and removes their data. */
  async remove(): Promise<void> {
    await this.dispose();
  }

  /** @returns whether the database executes the statement now */
  canQuery(statement: string): Promise<boolean> {
    return this.installation.query(statement).then(
      () => true,
      () => false,
    );
  }

  /** @returns the column `count` of the statement's first row */
  async count(statement: string): Promise<number> {
    const [row] = await this.installation.query<{ count: number }>(statement);
    return Number(row!.count);
  }

  /** @returns the first and the last id of the contacts that campaigns call */
  async contactIdRange(): Promise<{ first: number; last: number }> {
    const [row] = await this.installation.query<{ first: number; last: number }>(
      `SELECT min(id) AS first, max(id) AS last FROM contacts WHERE msisdn LIKE '+85590%'`,
    );
    return { first: Number(row!.first), last: Number(row!.last) };
  }

  /** Sets the faults of the simulated provider. @param faults replaces the earlier ones */
  async setFaults(faults: { create?: object; callbacks?: { doubled?: number }; account?: number }): Promise<void> {
    this.duplicatesWebhooks ||= faults.callbacks?.doubled !== undefined;
    await this.provider.put('/simulator/faults', faults);
  }

  /** @returns the simulator's counts of calls and webhooks */
  async statistics(): Promise<Body> {
    return (await this.provider.get('/simulator/statistics')).body;
  }

  /** @returns the provider's list of the calls that it has accepted */
  async providerCalls(): Promise<ProviderCall[]> {
    const calls: ProviderCall[] = [];
    let page: string | null = `/2010-04-01/Accounts/${PROVIDER_SID}/Calls.json?PageSize=1000`;
    while (page) {
      const { body }: Body = await this.provider.get(`/simulator${page}`, providerAuthorization);
      for (const { sid, to, status, date_created, start_time } of body.calls) {
        calls.push({ sid, to, status, date_created, start_time });
      }
      page = body.next_page_uri;
    }
    return calls;
  }

  private static async assemble(
    installation: Installation,
    environments: Record<string, string>[],
    { providerSettings = {}, servers }: { providerSettings?: Record<string, string>; servers?: Servers },
  ): Promise<Testbed> {
    const provider = await Installation.createEmbedded();
    const { api: providerApi } = await provider.start({
      ...providerEnvironment,
      ...PROVIDER_SETTINGS,
      ...providerSettings,
    });
    const providerProxy = await TcpProxy.startFor(Number(new URL(providerApi.url).port));
    const relay = await Relay.start();
    const shared = {
      ...SHORT_TIMEOUTS,
      PUBLIC_URL: relay.url,
      ...dialingEnvironment(`http://127.0.0.1:${providerProxy.port}`),
    };
    const instances: Instance[] = [];
    for (const environment of environments) {
      instances.push(new Instance(installation, await freePort(), { ...shared, ...environment }));
    }
    relay.forwardTo(
      instances.filter(({ servesApi }) => servesApi).map(({ url }) => url),
      'in turn',
    );
    const dispose = async (): Promise<void> => {
      await provider.remove();
      await providerProxy.close();
      await relay.stop();
      await installation.remove();
    };
    const api = new Api(relay.url);
    const testbed = new Testbed(installation, instances, api, providerApi, providerProxy, dispose, servers);
    await testbed.restore();
    return testbed;
  }
}
