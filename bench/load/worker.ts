// A worker of the library with a probe: tells the page its marks when it is asked.
import { startProbe } from './probe';

const marks = startProbe();
const channel = new BroadcastChannel('load-probe');
channel.onmessage = ({ data }) => {
  if (data === 'marks?') channel.postMessage(marks);
};
