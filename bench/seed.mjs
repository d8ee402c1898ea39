import { statementsOf } from './statements.mjs';

/**
 * The databases that measures start with. Each is created once by SQL, and a measure works on a copy. The callout is
 * paused, so that nothing is dialed.
 */
export class Seed {
  made = new Map();

  constructor(way, contacts) {
    this.way = way;
    this.size = contacts;
  }

  /** Contacts in ten provinces, a callout, and a batch operation of each type that has done nothing. */
  contacts(size = this.size) {
    return this.once(`contacts ${size}`, async () => {
      const database = await this.way.createDatabase();
      const statements = statementsOf(database);
      await database.rows(statements.makeContacts(size));
      await database.rows(`INSERT INTO callouts (status) VALUES ('paused')`);
      for (const type of ['CalloutPopulation', 'PhoneCallCreate', 'PhoneCallQueue']) {
        await database.rows(
          `INSERT INTO batch_operations (callout_id, type, status) VALUES (1, 'BatchOperation::${type}', 'finished')`,
        );
      }
      return database;
    });
  }

  /** A participation for each of the first `size` contacts. */
  participations(size = this.size) {
    return this.once(`participations ${size}`, async () => {
      const database = await (await this.contacts()).copy();
      const { populate } = statementsOf(database);
      await database.rows(size === this.size ? populate() : populate(`id <= ${size}`));
      return database;
    });
  }

  /** A call in status `created` for each participation. */
  calls(size = this.size) {
    return this.once(`calls ${size}`, async () => {
      const database = await (await this.participations(size)).copy();
      await database.rows(statementsOf(database).createCalls());
      return database;
    });
  }

  /** Each contact takes part, and nobody is left to call. */
  canceled() {
    return this.once('canceled', async () => {
      const database = await (await this.participations()).copy();
      await database.rows(`UPDATE callout_participations SET outcome = 'canceled'`);
      return database;
    });
  }

  /** Each contact takes part and was called: 70 % once, 30 % twice. */
  called() {
    return this.once('called', async () => {
      const database = await (await this.participations()).copy();
      for (const statement of statementsOf(database).callEveryone()) await database.rows(statement);
      return database;
    });
  }

  async drop() {
    for (const made of this.made.values()) await (await made).drop();
  }

  once(name, make) {
    if (!this.made.has(name)) {
      this.made.set(
        name,
        make().then(async (database) => {
          await database.settle();
          await database.close();
          return database;
        }),
      );
    }
    return this.made.get(name);
  }
}
