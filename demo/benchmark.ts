import { startBenchmark } from '../bench/page/main';

startBenchmark();
