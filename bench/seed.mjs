import { statementsOf } from './statements.mjs';

/**
 * The tables that measures begin with, each made once, by SQL and past the API: a measure works on a copy. The callout is paused, so that
 * nobody is dialled.
 */
export class Seed {
  made = new Map();

  constructor(way, contacts) {
    this.way = way;
    this.size = contacts;
  }

  /** Contacts, of whom a tenth live in each province; a callout, and a batch operation of each type, without any effect yet. */
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

  /** All of the contacts (or the first so many) take part in the callout. */
  participations(size = this.size) {
    return this.once(`participations ${size}`, async () => {
      const database = await (await this.contacts()).copy();
      const { populate } = statementsOf(database);
      await database.rows(size === this.size ? populate() : populate(`id <= ${size}`));
      return database;
    });
  }

  /** Each of the participations has a call, which was created. */
  calls(size = this.size) {
    return this.once(`calls ${size}`, async () => {
      const database = await (await this.participations(size)).copy();
      await database.rows(statementsOf(database).createCalls());
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
