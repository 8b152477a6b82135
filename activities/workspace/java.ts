import type { EcosystemFacts } from './finding';
import type { Tree } from './tree';

/** Facts of a Maven or Gradle project, read from the text of its build file. Null without one. */
export function javaFacts(tree: Tree): EcosystemFacts | null {
  const pom = tree.text('pom.xml');
  const gradleFile = ['build.gradle.kts', 'build.gradle'].find(tree.has);
  const text = pom ?? (gradleFile ? tree.text(gradleFile) : undefined);
  if (text === undefined) return null;
  const file = pom !== undefined ? 'pom.xml' : (gradleFile ?? '');
  const maven = pom !== undefined;
  const tool = maven ? (tree.has('mvnw') ? './mvnw -B' : 'mvn -B') : tree.has('gradlew') ? './gradlew' : 'gradle';
  const property =
    /<(?:java\.version|maven\.compiler\.release|maven\.compiler\.source|release)>\s*(?:1\.)?(\d+)/.exec(text)?.[1] ??
    /(?:JavaLanguageVersion\.of\(|sourceCompatibility\s*=\s*(?:JavaVersion\.VERSION_(?:1_)?|['"]?(?:1\.)?)|jvmToolchain\()(\d+)/.exec(
      text,
    )?.[1];
  const pinned = /^(?:\D*[-.])?(?:1\.)?(\d+)/.exec(tree.text('.java-version') ?? '')?.[1];
  const version = pinned ?? property;
  // A parent's coordinates stand before the project's own.
  const own =
    text
      .split('</parent>')
      .at(-1)
      ?.split(/<(?:dependencies|build|plugins)>/)[0] ?? '';
  const main = tree.sources.find((path) => /static\s+void\s+main\s*\(|^fun main\(/m.test(tree.text(path) ?? ''));
  const spring = /spring-boot/.test(text);
  const run = maven ? 'spring-boot:run' : 'bootRun';
  return {
    name: /<artifactId>([\w.-]+)<\/artifactId>/.exec(own)?.[1] ?? tree.name,
    library: main === undefined && !spring,
    runtime: version ? { version, source: pinned ? '.java-version' : file } : null,
    testVersions: version ? [version] : [],
    engines: null,
    packageManager: { name: maven ? 'maven' : 'gradle', version: null, lockfile: null },
    install: null,
    build: { run: maven ? `${tool} package -DskipTests` : `${tool} assemble`, source: file },
    test: { run: `${tool} test`, source: file },
    start: spring ? { run: `${tool} ${run}`, source: file } : null,
    entryPoint: main ?? null,
    buildOutput: maven ? 'target' : 'build/libs',
    dependencies: maven
      ? text
          .split('<dependency>')
          .slice(1)
          .map((part) => part.split('</dependency>')[0] ?? '')
          .filter((part) => !part.includes('<scope>test</scope>'))
          .flatMap((part) => /<artifactId>\s*([\w.-]+)/.exec(part)?.[1] ?? [])
      : [...text.matchAll(/(?:implementation|runtimeOnly|api)[\s(]+['"][\w.-]+:([\w.-]+)/g)].map(
          (match) => match[1] ?? '',
        ),
  };
}
