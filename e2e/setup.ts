import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';
import type { TestProject } from 'vitest/node';
import provideChromium from './chromium';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the built demo, with a trailing slash. */
    demoUrl: string;
  }
}

/** Builds the demo for production and serves it on a free port while the e2e tests run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  provideChromium(project);
  const configFile = fileURLToPath(new URL('../vite.config.ts', import.meta.url));
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = 'production'; // Vitest sets 'test', with which Vite would build for development
  await build({ configFile, mode: 'production', logLevel: 'warn' });
  process.env.NODE_ENV = NODE_ENV;
  const server = await preview({
    configFile,
    mode: 'production',
    logLevel: 'warn',
    preview: { port: 0, host: '127.0.0.1' },
  });
  const demoUrl = server.resolvedUrls?.local[0];
  if (!demoUrl) throw new Error('vite preview reported no URL.');
  project.provide('demoUrl', demoUrl);
  return () => server.close();
}
