export { packageVersion } from '../store/version';
