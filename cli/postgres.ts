/** A Postgres server as the index's database. `pg` is an optional peer dependency, loaded when it is needed. */
import type { Pool } from 'pg';
import type { Database } from './passages/fill';

export interface Server extends Database {
  close(): Promise<void>;
}

/** Connects to `postgres://user:password@host:port/database`. */
export async function connect(url: string): Promise<Server> {
  const { default: pg } = await optional(() => import('pg'), 'pg');
  const pool: Pool = new pg.Pool({ connectionString: url, max: 4 });
  pool.on('error', () => {}); // an idle connection broke; the next query reports it
  await pool.query('SELECT 1');
  return {
    query: (text, values) => pool.query(text, values) as Promise<never>,
    async transaction(work) {
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        const result = await work({ query: (text, values) => client.query(text, values) as Promise<never> });
        await client.query('COMMIT');
        client.release();
        return result;
      } catch (error) {
        client.release(true); // closes the connection, which rolls back
        throw error;
      }
    },
    close: () => pool.end(),
  };
}

/** Loads an optional peer dependency. Throws an Error that says how to install it. */
export async function optional<T>(load: () => Promise<T>, name: string): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new Error(`This command needs the package ${name}: npm install ${name}`, { cause: error });
  }
}
