// The notices of everything that the built files may contain parts of: all packages of the lock file but those that only
// build. That is a few too many, and none too few: workers, style sheets and fonts are in it too.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const NOTICE = /^(licen[cs]e|copying|notice|thirdpartynotices)/i;

export function thirdPartyLicenses(fileName) {
  return {
    name: 'third-party-licenses',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName, source: notices() });
    },
  };
}

function notices() {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const shipped = Object.entries(packages).filter(([path, { dev }]) => path && !dev);
  return shipped.map(([path]) => notice(path)).join(`\n${'-'.repeat(80)}\n\n`);
}

function notice(path) {
  const { name, version, license } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
  const files = readdirSync(path)
    .filter((file) => NOTICE.test(file))
    .sort();
  const texts = files.map((file) => readFileSync(join(path, file), 'utf8').replaceAll('\r\n', '\n').trim());
  return [`${name} ${version} (${license})`, ...texts].join('\n\n') + '\n';
}
