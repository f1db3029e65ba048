import AxeBuilder from '@axe-core/playwright';
import type { Page } from 'playwright';
import { expect } from 'vitest';

/** Fails where axe finds what is serious or critical in a part of the page. */
export async function expectAccessible(page: Page, part: string): Promise<void> {
  // In the page itself: a second page, which axe would finish in, is not for contexts that a browser opened by itself.
  const { violations } = await new AxeBuilder({ page }).include(part).setLegacyMode().analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  expect(serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)).toEqual([]);
}
