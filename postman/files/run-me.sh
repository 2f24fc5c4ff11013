#!/bin/sh
echo 'No such files on the shelf, please.'
