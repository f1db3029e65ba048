import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';
import type { TestProject } from 'vitest/node';
import { findChromium } from '../tools/adapters.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the built demo, with a slash at the end. */
    demoUrl: string;
    /** Executable for Playwright's `chromium.launch({ executablePath })`. */
    chromiumPath: string;
  }
}

/** Builds the demo as users get it and serves it on a free port for the time of the e2e project. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const chromiumPath = findChromium();
  if (!chromiumPath) throw new Error('No Chromium, Chrome or Edge found. Run `npm run setup`, or set CHROME_PATH.');
  const configFile = fileURLToPath(new URL('../vite.config.ts', import.meta.url));
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = 'production'; // Vitest says test, and Vite would build a page for development
  await build({ configFile, mode: 'production', logLevel: 'warn' });
  process.env.NODE_ENV = NODE_ENV;
  const server = await preview({
    configFile,
    mode: 'production',
    logLevel: 'warn',
    preview: { port: 0, host: '127.0.0.1' },
  });
  const demoUrl = server.resolvedUrls?.local[0];
  if (!demoUrl) throw new Error('vite preview did not say where it listens.');
  project.provide('demoUrl', demoUrl);
  project.provide('chromiumPath', chromiumPath);
  return () => server.close();
}
