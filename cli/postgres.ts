/** A Postgres server as the index's database. npm `pg` is an optional peer, loaded by the command that needs it. */
import type { Pool } from 'pg';
import type { Database } from './passages/fill';

export interface Server extends Database {
  close(): Promise<void>;
}

/** Connects to `postgres://user:password@host:port/database`. */
export async function connect(url: string): Promise<Server> {
  const { default: pg } = await optional(() => import('pg'), 'pg');
  const pool: Pool = new pg.Pool({ connectionString: url, max: 4 });
  pool.on('error', () => {}); // of an idle connection; the next query tells
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
        client.release(true); // closing the connection rolls back
        throw error;
      }
    },
    close: () => pool.end(),
  };
}

/** Loads an optional peer dependency; where it is missing, the error says how to get it. */
export async function optional<T>(load: () => Promise<T>, name: string): Promise<T> {
  try {
    return await load();
  } catch (error) {
    throw new Error(`This command needs the npm package ${name}: npm install ${name}`, { cause: error });
  }
}
