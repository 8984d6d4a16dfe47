/**
 * The way from a robot's observation to the network's input and from its output to the robot's
 * actions: normalisation with the checkpoint's statistics, relative actions, camera names, padding;
 * as LeRobot's processors and openpi's transforms do it.
 */
package dev.pi0stream.model.processor;
