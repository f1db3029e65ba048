import { normalized } from '../heads/rows';
import { checkFeature, type ReadModule } from './module';

/** To unit length (base/modules/normalize.py). */
export const readNormalize: ReadModule = (fields, path, before) => {
  checkFeature(fields, before);
  return {
    kind: 'Normalize',
    path,
    gives: before.feature,
    columns: (columns) => columns,
    place: () => ({ apply: (rows) => normalized(rows) }),
  };
};
