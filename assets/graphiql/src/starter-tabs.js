// What the first visit finds in the editor. The server's tests run each of them on the demo data.
import failedCases from '../tabs/failed-cases.graphql?raw';
import folder from '../tabs/folder.graphql?raw';
import folderVariables from '../tabs/folder.json?raw';
import runAsMatrix from '../tabs/run-as-matrix.graphql?raw';
import versions from '../tabs/versions.graphql?raw';

export const starterTabs = [
  { query: failedCases },
  { query: versions },
  { query: runAsMatrix },
  { query: folder, variables: folderVariables },
];
