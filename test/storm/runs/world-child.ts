// The pipeline of a storm's runs: whichever world the environment describes.
import { pipelineOf, type World } from '../../unit/engine/random-pipeline.ts';

export default pipelineOf(JSON.parse(process.env['STORM_WORLD'] ?? '{}') as World);
