/**
 * The programs that copy images. Their files are the layers of one image in a layout, whose digests are known
 * beforehand: pushing it they hash nothing, which makes the fastest of them the floor.
 */
import { peer } from '../../../test/support/peers.ts';
import { LAYOUT_TAG, type Workload } from '../../push/workload.ts';
import type { Command, Contestant, Place } from './contestants.ts';

type Args = (work: Workload, place: Place, folder: string) => readonly string[];

function imageTool(name: string, push: Args, pull: Args): Contestant {
  const command = (args: readonly string[], work: Workload): readonly Command[] => [
    { program: peer(name), args, cwd: work.files },
  ];
  return {
    name,
    program: name,
    ours: false,
    push: (work, to) => command(push(work, to, ''), work),
    pull: (work, from, folder) => command(pull(work, from, folder), work),
  };
}

const image = ({ address, repository }: Place) => `${address}/${repository}:${LAYOUT_TAG}`;
const plain = ({ address }: Place) => ['--host', `reg=${address},tls=disabled`];

export const IMAGE_TOOLS: readonly Contestant[] = [
  imageTool(
    'crane',
    (work, to) => ['push', work.layout, image(to), '--insecure'],
    (_, from, folder) => ['pull', image(from), folder, '--format', 'oci', '--insecure'],
  ),
  imageTool(
    'regctl',
    (work, to) => ['image', 'copy', ...plain(to), `ocidir://${work.layout}:${LAYOUT_TAG}`, image(to)],
    (_, from, folder) => ['image', 'copy', ...plain(from), image(from), `ocidir://${folder}:${LAYOUT_TAG}`],
  ),
  // It would compress the layers otherwise, which is another job.
  imageTool(
    'skopeo',
    (work, to) => [
      ...['copy', '--insecure-policy', '--preserve-digests', '--dest-tls-verify=false'],
      ...[`oci:${work.layout}:${LAYOUT_TAG}`, `docker://${image(to)}`],
    ],
    (_, from, folder) => [
      ...['copy', '--insecure-policy', '--preserve-digests', '--src-tls-verify=false'],
      ...[`docker://${image(from)}`, `oci:${folder}:${LAYOUT_TAG}`],
    ],
  ),
];
