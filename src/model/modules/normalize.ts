import { normalized } from '../heads/rows';
import type { ReadModule } from './module';

/** To unit length (models/Normalize.py). */
export const readNormalize: ReadModule = (_fields, path) => ({
  kind: 'Normalize',
  path,
  columns: (before) => before,
  place: () => (rows) => normalized(rows),
});
