/**
 * Logged episodes: reading a LeRobotDataset v3.0 or v2.1 (tables in Parquet, camera frames as video
 * or as images inside the tables), episode by episode and frame by frame.
 */
package dev.pi0stream.operators.dataset;
