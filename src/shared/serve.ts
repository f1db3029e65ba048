import { expose } from 'comlink';
import type { LoadOptions, Model, ModelSource } from '../api/types';
import { createSession } from '../session/worker-session';
import { type Joined, whenFree } from './messages';
import { shareModels } from './models';

export type ModelServer = ReturnType<typeof modelServer>;

/** Models for any number of connections, one for those that ask for the same. */
export function modelServer(load: (source: ModelSource, options: LoadOptions) => Promise<Model>) {
  let shared = shareModels(load);
  return {
    /** Does what the client of a connection asks for, until its tab lets go or is closed. */
    serve({ lock, port }: Joined): void {
      let model: Model | undefined;
      const session = createSession(async (source, options) => {
        model = await shared(source, options);
        return model;
      });
      expose(session, port);
      void whenFree(lock).then(async () => {
        port.close();
        await session.dispose();
        await model?.dispose(); // which the session does not have yet if its tab went before it learned of it
      });
    },

    /** Later loads get models of their own, whatever is loaded. */
    forget(): void {
      shared = shareModels(load);
    },
  };
}
