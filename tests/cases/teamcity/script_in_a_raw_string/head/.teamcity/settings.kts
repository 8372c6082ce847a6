import jetbrains.buildServer.configs.kotlin.*

object Build : BuildType({
    name = "Build it"
    steps {
        script {
            name = "Scan"
            scriptContent = """
                set -e
                docker run \
                  -v /var/run/docker.sock:/s \
                  example/scanner
            """.trimIndent()
        }
    }
})
