#!/bin/sh
sudo groupadd docker
sudo usermod -aG docker "$USER"
sudo gpasswd -a jenkins docker
newgrp docker
