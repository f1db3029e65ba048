/** Servers of tools, such as a bundler's for development, for the tests of a file. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { afterEach, expect } from 'vitest';
import { TOOLS } from './packed';

/** What is pushed onto the list is called after the test, the last first. */
export function useEndings(): (() => Promise<unknown>)[] {
  const ended: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const end of ended.splice(0).reverse()) await end();
  });
  return ended;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await once(server.close(), 'close');
  return port;
}

/** Starts a server by a script of a tool and waits until it answers; returns its origin. */
export async function serveBy(
  ended: (() => Promise<unknown>)[],
  app: string,
  script: string,
  args: (port: number) => string[],
  env = {},
): Promise<string> {
  const port = await freePort();
  const options = { cwd: app, env: { ...process.env, ...env }, stdio: 'pipe' } as const;
  const child: ChildProcess = spawn(execPath, [script, ...args(port)], options);
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => output.push(String(data)));
  ended.push(async () => {
    if (child.exitCode !== null) return;
    const exit = once(child, 'exit');
    child.kill();
    await exit;
  });
  const origin = `http://127.0.0.1:${port}`;
  for (let wait = 0; wait < 300; wait++) {
    if (child.exitCode !== null) break;
    if (await fetch(origin).catch(() => undefined)) return origin;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${script} did not start: ${output.join('')}`);
}

/** Builds an app of Next, which must be below e2e/bundlers, and starts it; returns its origin. */
export async function serveNext(
  ended: (() => Promise<unknown>)[],
  app: string,
  bundler: string,
  env = {},
): Promise<string> {
  const next = join(TOOLS, 'next/dist/bin/next');
  const production = { NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1', ...env };
  const built = spawn(execPath, [next, 'build', bundler], {
    cwd: app,
    stdio: 'pipe',
    env: { ...process.env, ...production },
  });
  const output: string[] = [];
  for (const stream of [built.stdout, built.stderr]) stream.on('data', (data) => output.push(String(data)));
  const [status] = await once(built, 'exit');
  expect(status, output.join('')).toBe(0);
  return serveBy(ended, app, next, (port) => ['start', '-p', String(port), '-H', '127.0.0.1'], production);
}
