/// The GraphQL operations, under the names and variables that W&B's client uses.
package enum Queries {
    package static let viewer = "query Viewer { viewer { id entity username email flags } }"

    package static let serverFeatures = "query ServerFeaturesQuery { serverInfo { features { name isEnabled } } }"

    package static let upsertBucket = """
        mutation UpsertBucket($id: String, $name: String, $project: String, $entity: String, $groupName: String, \
        $description: String, $displayName: String, $notes: String, $commit: String, $config: JSONString, \
        $host: String, $debug: Boolean, $program: String, $repo: String, $jobType: String, $state: String, \
        $sweep: String, $tags: [String!], $summaryMetrics: JSONString) { upsertBucket(input: {id: $id, name: $name, \
        groupName: $groupName, modelName: $project, entityName: $entity, description: $description, \
        displayName: $displayName, notes: $notes, config: $config, commit: $commit, host: $host, debug: $debug, \
        jobProgram: $program, jobRepo: $repo, jobType: $jobType, state: $state, sweep: $sweep, tags: $tags, \
        summaryMetrics: $summaryMetrics}) { bucket { id name displayName description config sweepName \
        project { id name entity { id name } } historyLineCount } inserted } }
        """

    package static let resumeStatus = """
        query RunResumeStatus($project: String, $entity: String, $name: String!) { \
        model(name: $project, entityName: $entity) { id name entity { id name } bucket(name: $name, missingOk: true) { \
        id name summaryMetrics displayName logLineCount historyLineCount eventsLineCount historyTail eventsTail config \
        tags notes wandbConfig(keys: ["t"]) } } }
        """

    package static let rewindRun = """
        mutation RewindRun($runName: String!, $entity: String, $project: String, $metricName: String!, \
        $metricValue: Float!) { rewindRun(input: {runName: $runName, entityName: $entity, projectName: $project, \
        metricName: $metricName, metricValue: $metricValue}) { rewoundRun { id name displayName description config \
        sweepName project { id name entity { id name } } historyLineCount } } }
        """

    package static let createRunFiles = """
        mutation CreateRunFiles($entity: String!, $project: String!, $run: String!, $files: [String!]!) { \
        createRunFiles(input: {entityName: $entity, projectName: $project, runName: $run, files: $files}) { \
        runID uploadHeaders files { name uploadUrl } } }
        """

    package static let alert = """
        mutation NotifyScriptableRunAlert($entityName: String!, $projectName: String!, $runName: String!, \
        $title: String!, $text: String!, $severity: AlertSeverity = INFO, $waitDuration: Duration) { \
        notifyScriptableRunAlert(input: {entityName: $entityName, projectName: $projectName, runName: $runName, \
        title: $title, text: $text, severity: $severity, waitDuration: $waitDuration}) { success } }
        """
}

extension Queries {
    package static let createArtifact = """
        mutation CreateArtifact($input: CreateArtifactInput!) { createArtifact(input: $input) { artifact { id state \
        artifactSequence { latestArtifact { id } } } } }
        """

    package static let createArtifactManifest = """
        mutation CreateArtifactManifest($artifactID: ID!, $baseArtifactID: ID, $name: String!, $digest: String!, \
        $entityName: String!, $projectName: String!, $runName: String!, $manifestType: ArtifactManifestType!, \
        $includeUpload: Boolean!) { createArtifactManifest(input: {artifactID: $artifactID, \
        baseArtifactID: $baseArtifactID, name: $name, digest: $digest, entityName: $entityName, \
        projectName: $projectName, runName: $runName, type: $manifestType}) { artifactManifest { id file { id \
        uploadUrl @include(if: $includeUpload) uploadHeaders @include(if: $includeUpload) } } } }
        """

    package static let createArtifactFiles = """
        mutation CreateArtifactFiles($input: CreateArtifactFilesInput!) { createArtifactFiles(input: $input) { \
        files { edges { node { storagePath uploadUrl uploadHeaders uploadMultipartUrls { uploadID uploadUrlParts { \
        partNumber uploadUrl } } artifact { id } } } } } }
        """

    package static let completeMultipart = """
        mutation CompleteMultipartUploadArtifact($input: CompleteMultipartUploadArtifactInput!) { \
        completeMultipartUploadArtifact(input: $input) { digest } }
        """

    package static let commitArtifact = """
        mutation CommitArtifact($artifactID: ID!) { commitArtifact(input: {artifactID: $artifactID}) { \
        artifact { id digest } } }
        """

    package static let useArtifact = """
        mutation UseArtifact($entityName: String!, $projectName: String!, $runName: String!, $artifactID: ID!, \
        $artifactEntityName: String, $artifactProjectName: String) { useArtifact(input: {entityName: $entityName, \
        projectName: $projectName, runName: $runName, artifactID: $artifactID, \
        artifactEntityName: $artifactEntityName, artifactProjectName: $artifactProjectName}) { \
        artifact { id digest description state createdAt metadata } } }
        """
}
