import type { TestProject } from 'vitest/node';
import { findChromium } from '../tools/adapters.mjs';

declare module 'vitest' {
  interface ProvidedContext {
    /** For Playwright's `chromium.launch({ executablePath })`. */
    chromiumPath: string;
  }
}

/** Finds the browser of the tests. */
export default function setup(project: TestProject): void {
  const path = findChromium();
  if (!path) throw new Error('No Chromium, Chrome or Edge found. Run `npm run setup`, or set CHROME_PATH.');
  project.provide('chromiumPath', path);
}
