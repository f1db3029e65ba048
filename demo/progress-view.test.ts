import { expect, it } from 'vitest';
import { progressText } from './progress-view';

it('says what, how far and how long', () => {
  expect(progressText({ what: 'Opening' }, undefined)).toBe('Opening …');
  expect(progressText({ what: 'Embedding', done: 12, total: 40, unit: 'text' }, 3)).toBe(
    'Embedding: 12 of 40 texts, 3 s left',
  );
  expect(progressText({ what: 'Embedding', done: 0, total: 1, unit: 'text' }, undefined)).toBe(
    'Embedding: 0 of 1 text',
  );
  expect(progressText({ what: 'Embedding', done: 1234, unit: 'passage' }, undefined)).toBe('Embedding: 1,234 passages');
  expect(progressText({ what: 'Loading', done: 1.2e6, total: 16.4e6, unit: 'bytes' }, 100)).toBe(
    'Loading: 1.2 MB of 16.4 MB, 2 min left',
  );
  expect(progressText({ what: 'Training', done: 0.999, total: 1 }, 0)).toBe('Training: 99%');
  expect(progressText({ what: 'Indexing', done: 1, total: 4 }, 6000)).toBe('Indexing: 25%, 1.7 h left');
});
