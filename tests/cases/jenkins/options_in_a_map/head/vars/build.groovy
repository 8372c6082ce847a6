def settings = [
    image: 'builder:2',
    args : '-v /var/run/docker.sock:/var/run/docker.sock',
]

def call() {
    node {
        docker.image(settings.image).inside(settings.args) {
            sh 'make'
        }
    }
}
