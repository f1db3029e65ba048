/** Trains heads off the page's thread. */
import { expose } from 'comlink';
import { crossValidate, foldCount } from './cross-validation';
import { type Examples, type LinearHead, trainHead } from './logistic-regression';

export interface Trained {
  head: LinearHead;
  /** 0 where a class has too few examples for cross-validation; `predicted` is empty then. */
  folds: number;
  predicted: number[];
}

const trainer = {
  train(examples: Examples, onProgress: (done: number, total: number) => void): Trained {
    const folds = foldCount(examples.targets, examples.classes);
    const total = folds + 1;
    const predicted = folds ? crossValidate(examples, folds, (done) => onProgress(done, total)) : [];
    return { head: trainHead(examples), folds, predicted };
  },
};

export type Trainer = typeof trainer;

expose(trainer);
