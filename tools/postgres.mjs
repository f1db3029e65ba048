// Starts the PostgreSQL 17 with pgvector that `npm run test:postgres` uses, unless DATABASE_URL names a server.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { debianRoot } from './debian-root.mjs';

const BIN = '/usr/lib/postgresql/17/bin';
const FOLDER = '/srv/modernbert-webgpu';

/**
 * Vitest's global set-up: a Debian 13 server that listens on a socket in its root, without a port, until the tests end.
 * @param {{ provide: (key: 'databaseUrl', value: string) => void }} project
 */
export default async function setup(project) {
  if (process.env.DATABASE_URL) {
    project.provide('databaseUrl', process.env.DATABASE_URL);
    return;
  }
  const root = debianRoot('modernbert-webgpu-postgres', ['postgresql-17', 'postgresql-17-pgvector']);
  const home = join(root, FOLDER);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  chroot(root, ['chown', 'postgres:postgres', FOLDER]);
  const data = `${FOLDER}/data`;
  const initdb = `${BIN}/initdb -D ${data} -U postgres -A trust --no-sync -E UTF8 --locale=C.UTF-8`;
  chroot(root, initdb.split(' '), 'postgres');
  // A chroot has no /dev/shm.
  const options = `-D ${data} -k ${FOLDER} -c listen_addresses= -c fsync=off -c dynamic_shared_memory_type=mmap`;
  const command = ['--userspec=postgres:postgres', root, `${BIN}/postgres`, ...options.split(' ')];
  const server = spawn('chroot', command, { stdio: 'ignore' });
  const url = `postgres://postgres@/postgres?host=${encodeURIComponent(home)}`;
  await untilReady(url);
  project.provide('databaseUrl', url);
  return async () => {
    server.kill('SIGINT');
    await new Promise((resolve) => server.once('exit', resolve));
    rmSync(home, { recursive: true, force: true });
  };
}

/** @param {string} root @param {string[]} command @param {string} [user] */
function chroot(root, command, user = 'root') {
  const { status, stderr } = spawnSync('chroot', [`--userspec=${user}:${user}`, root, ...command], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${command[0]} failed in ${root}: ${stderr}`);
}

/** Waits until the server accepts connections. @param {string} url */
async function untilReady(url) {
  for (let tries = 0; ; tries++) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      return await client.end();
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(100);
    }
  }
}
