import type { Environment } from '../../bench/report';

/** When and where something was measured, as far as the page itself knows. */
export const environment = (): Pick<Environment, 'date' | 'commit' | 'runtime' | 'toggles'> => ({
  date: new Date().toISOString(),
  commit: import.meta.env.COMMIT,
  runtime: /(Edg|Firefox|Chrome|Version)\/[\d.]+/.exec(navigator.userAgent)?.[0] ?? navigator.userAgent,
  toggles: [],
});
